"""Asks the reference's application again what is recorded in a folder, and says what it tells otherwise.

    python3 record.py ORACLE FOLDER

ORACLE is the program that `go build` makes here; FOLDER is laid out as `relaymill replay` reads it. With `--write`, the
results of the blocks are replaced by what the application says: a history is recorded that way from a genesis document
and rows of blocks without results.
"""

import base64
import gzip
import hashlib
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path


def rows(path):
    with gzip.open(path, "rt") as file:
        return [json.loads(line) for line in file]


class Oracle:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, **row):
        self.process.stdin.write(json.dumps(row) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("@"):
                return json.loads(line[1:])
        raise SystemExit("the application stopped")


class Validators:
    """The sets that sign: a block's updates count from the second block after it."""

    def __init__(self, first):
        self.current, self.next = first, dict(first)
        self.before = {}

    def advance(self, updates):
        following = dict(self.next)
        for update in updates or []:
            key, power = update["pub_key"]["Sum"]["value"]["ed25519"], int(update.get("power", 0))
            following[key] = power
            if power == 0:
                following.pop(key)
        self.before, self.current, self.next = self.current, self.next, following

    def votes(self, signatures):
        """Signatures stand in the order of the set: by power, then by address."""
        members = [(power, hashlib.sha256(base64.b64decode(key)).hexdigest()[:40]) for key, power in self.before.items()]
        members.sort(key=lambda member: (-member[0], member[1]))
        return [
            {"address": address, "power": power, "flag": signature["block_id_flag"]}
            for (power, address), signature in zip(members, signatures, strict=True)
        ]


def bonded(genesis):
    """Who signs the first block."""
    staking = genesis["app_state"]["staking"]
    strongest = sorted(staking["validators"], key=lambda validator: -int(validator["tokens"]))
    strongest = strongest[: int(staking["params"]["max_validators"])]
    powers = {it["consensus_pubkey"]["key"]: int(it["tokens"]) // 1_000_000 for it in strongest}
    return {key: power for key, power in powers.items() if power}


def comparable(results):
    """The application verifies proofs side by side, and tells of them in an order of its own."""
    results = {key: value or [] for key, value in results.items()}
    verdicts = [event for event in results["finalize_block_events"] if event["type"].endswith("ProofValidityChecked")]
    others = [event for event in results["finalize_block_events"] if event not in verdicts]
    told = sorted(json.dumps(event, sort_keys=True) for event in verdicts)
    results["finalize_block_events"] = told + others
    return results


def main():
    program, folder = sys.argv[1], Path(sys.argv[2])
    oracle = Oracle(program)
    genesis = json.loads((folder / "genesis.json").read_text())
    blocks = rows(folder / "blocks.jsonl.gz")
    queries = defaultdict(list)
    if (folder / "queries.jsonl.gz").exists():
        for query in rows(folder / "queries.jsonl.gz"):
            queries[query["height"]].append(query)
    answer = oracle(cmd="init", genesis=genesis)
    if "error" in answer:
        raise SystemExit(f"genesis: {answer['error']}")
    validators = Validators(bonded(genesis))
    differences = 0
    for row in blocks:
        block, height = row["block"]["block"], row["height"]
        results = oracle(
            cmd="block",
            height=height,
            hash=row["block"]["block_id"]["hash"],
            time=block["header"]["time"],
            proposer=block["header"]["proposer_address"],
            txs=block["data"]["txs"] or [],
            votes=validators.votes(block["last_commit"]["signatures"]),
        )
        if "error" in results:
            raise SystemExit(f"block {height}: {results['error']}")
        if "block_results" in row and comparable(row["block_results"]) != comparable(results):
            differences += 1
            print(f"block {height} has other results")
        row["block_results"] = results
        validators.advance(results["validator_updates"])
        for query in queries[height]:
            request = base64.b64encode(bytes.fromhex(query["request_hex"])).decode()
            answer = oracle(cmd="query", method=query["method"], request=request)
            response = base64.b64decode(answer.get("response", "")).hex()
            if (answer["code"], response) != (query["grpc_code"], query["response_hex"]):
                differences += 1
                print(f"after block {height}, {query['method']} has another answer")
    print(f"{len(blocks)} blocks, {sum(map(len, queries.values()))} queries, {differences} differences")
    if "--write" in sys.argv[3:]:
        with gzip.GzipFile(folder / "blocks.jsonl.gz", "wb", mtime=0) as file:
            for row in blocks:
                file.write(json.dumps(row, separators=(",", ":")).encode() + b"\n")


if __name__ == "__main__":
    main()
