// CosmJS, unmodified, as a client of a node of ours. Where to find it and whose key to use comes from the environment.
// Pocket messages are registered from the descriptor set that this repository checks in, as any wallet would register them.
// Prints one line a check, "ok <what>"; the first that fails ends the program with an error.

import { readFile } from "node:fs/promises";
import { DirectSecp256k1HdWallet, DirectSecp256k1Wallet, Registry } from "@cosmjs/proto-signing";
import { assertIsDeliverTxSuccess, defaultRegistryTypes, GasPrice, SigningStargateClient, StargateClient } from "@cosmjs/stargate";
import { Comet38Client, connectComet, isComet38Client } from "@cosmjs/tendermint-rpc";
import protobuf from "protobufjs";
import "protobufjs/ext/descriptor/index.js";

const RPC = process.env.RELAYMILL_RPC;
const KEY = process.env.RELAYMILL_KEY;
const GATEWAY = process.env.RELAYMILL_GATEWAY;
const APPLICATION = process.env.RELAYMILL_APPLICATION;
const SERVICE = process.env.RELAYMILL_SERVICE;
const DESCRIPTORS = process.env.RELAYMILL_DESCRIPTORS;
const STAKE = 100_000_000n;

function check(what, holds, seen) {
  if (!holds) {
    console.error(`failed: ${what}:`, seen);
    process.exit(1);
  }
  console.log("ok", what);
}

/** The types of the checked-in descriptor set. */
async function types() {
  const set = await readFile(DESCRIPTORS);
  const root = protobuf.Root.fromDescriptor(set);
  root.resolveAll();
  return (name) => root.lookupType(name);
}

/** Calls a gRPC method through abci_query. */
async function query(comet, lookup, method, request, answer, fields) {
  const type = lookup(request);
  const data = type.encode(type.create(fields)).finish();
  const response = await comet.abciQuery({ path: method, data });
  if (response.code !== 0) throw new Error(`${response.codespace} ${response.code}: ${response.log}`);
  return lookup(answer).decode(response.value);
}

/** The next `count` values of a stream. */
function take(stream, count) {
  return new Promise((resolve, reject) => {
    const seen = [];
    const timer = setTimeout(() => reject(new Error(`only ${seen.length} of ${count} blocks in time`)), 60_000);
    const listener = {
      next: (value) => {
        seen.push(value);
        if (seen.length === count) {
          clearTimeout(timer);
          stream.removeListener(listener);
          resolve(seen);
        }
      },
      error: reject,
      complete: () => reject(new Error("the stream ended")),
    };
    stream.addListener(listener);
  });
}

function hex(text) {
  return Uint8Array.from(Buffer.from(text, "hex"));
}

async function main() {
  const lookup = await types();
  const registry = new Registry(defaultRegistryTypes);
  for (const name of [
    "pocket.application.MsgStakeApplication",
    "pocket.application.MsgDelegateToGateway",
    "pocket.application.MsgUnstakeApplication",
  ]) {
    registry.register(`/${name}`, lookup(name));
  }

  const comet = await connectComet(RPC);
  check("CosmJS picks its client for CometBFT 0.38", isComet38Client(comet));
  const status = await comet.status();
  check("status names the chain", status.nodeInfo.network.startsWith("relaymill-"), status.nodeInfo);
  const abciInfo = await comet.abciInfo();
  check("abci_info has a height", abciInfo.lastBlockHeight > 0, abciInfo);

  const purse = await DirectSecp256k1Wallet.fromKey(hex(KEY), "pokt");
  const [{ address: from }] = await purse.getAccounts();
  const options = { registry, gasPrice: GasPrice.fromString("0.000001upokt") };
  const rich = await SigningStargateClient.connectWithSigner(RPC, purse, options);
  check("the chain id is the node's", (await rich.getChainId()) === status.nodeInfo.network);

  // Send.
  const wallet = await DirectSecp256k1HdWallet.generate(24, { prefix: "pokt" });
  const [{ address }] = await wallet.getAccounts();
  check("a stranger has no account", (await rich.getAccount(address)) === null);
  const amount = [{ denom: "upokt", amount: (STAKE / 2n).toString() }];
  const sent = await rich.sendTokens(from, address, amount, "auto", "from CosmJS");
  assertIsDeliverTxSuccess(sent);
  const balance = await rich.getBalance(address, "upokt");
  check("what was sent has arrived", balance.amount === amount[0].amount, balance);
  const found = await rich.getTx(sent.transactionHash);
  check("the transaction is found by its hash", found?.height === sent.height && found.code === 0, found);
  check("and used the gas it was simulated to use", found.gasUsed > 0n && found.gasUsed <= found.gasWanted, found);
  const searched = await rich.searchTx([{ key: "transfer.recipient", value: address }]);
  check("and by its recipient", searched.some((tx) => tx.hash === sent.transactionHash), searched);
  const poor = await SigningStargateClient.connectWithSigner(RPC, wallet, options);
  const account = await poor.getAccount(address);
  check("the new account has a number", account !== null && account.sequence === 0, account);

  // Stake and delegate: pocket messages through a registry.
  const stake = {
    typeUrl: "/pocket.application.MsgStakeApplication",
    value: {
      address,
      stake: { denom: "upokt", amount: (STAKE / 4n).toString() },
      services: [{ service_id: SERVICE }],
    },
  };
  const staked = await poor.signAndBroadcast(address, [stake], "auto");
  assertIsDeliverTxSuccess(staked);
  const names = staked.events.map((event) => event.type);
  check("a stake is announced", names.includes("pocket.application.EventApplicationStaked"), names);
  const delegate = {
    typeUrl: "/pocket.application.MsgDelegateToGateway",
    value: { app_address: address, gateway_address: GATEWAY },
  };
  assertIsDeliverTxSuccess(await poor.signAndBroadcast(address, [delegate], "auto"));
  check("two transactions have two sequences", (await poor.getSequence(address)).sequence === 2);
  const asked = (request) =>
    query(comet, lookup, "/pocket.application.Query/Application", "pocket.application.QueryGetApplicationRequest", "pocket.application.QueryGetApplicationResponse", request);
  const { application } = await asked({ address });
  check(
    "the application is staked and delegated",
    application.stake.amount === (STAKE / 4n).toString() && application.delegatee_gateway_addresses.includes(GATEWAY),
    application,
  );
  const absent = await asked({ address: from }).then(() => null, (error) => error);
  check("an application that is none is an error", /not found/.test(absent?.message ?? ""), absent);

  // What fails, fails with the chain's words.
  const tooMuch = { ...stake, value: { ...stake.value, stake: { denom: "upokt", amount: "999999999999" } } };
  const failed = await poor.signAndBroadcast(address, [tooMuch], "auto").then(() => null, (error) => error);
  check("a stake beyond the balance is refused", /insufficient|spendable|balance/.test(failed?.message ?? ""), failed);

  // Get session.
  const { session } = await query(
    comet, lookup, "/pocket.session.Query/GetSession",
    "pocket.session.QueryGetSessionRequest", "pocket.session.QueryGetSessionResponse",
    { application_address: APPLICATION, service_id: SERVICE },
  );
  check(
    "a session has its header and suppliers",
    session.session_id.length === 64 && session.header.application_address === APPLICATION && session.suppliers.length > 0,
    session,
  );
  const url = session.suppliers[0].services[0].endpoints[0].url;
  check("a supplier says where it serves", url.startsWith("http"), url);

  // Blocks.
  const socket = await Comet38Client.connect(RPC.replace(/^http/, "ws"));
  const blocks = await take(socket.subscribeNewBlock(), 3);
  const heights = blocks.map((block) => block.header.height);
  check("blocks arrive one after the other", heights[1] === heights[0] + 1 && heights[2] === heights[1] + 1, heights);
  const headers = await take(socket.subscribeNewBlockHeader(), 1);
  check("headers too", headers[0].height > heights[2] - 1, headers);
  const block = await rich.getBlock(heights[0]);
  check("an announced block can be asked for", block.header.height === heights[0], block);
  const results = await comet.blockResults(sent.height);
  check("results of a block are decoded", results.height === sent.height && results.results.length >= 1, results);
  const validators = await comet.validatorsAll(heights[0]);
  check("validators are decoded", validators.total >= 1, validators);
  socket.disconnect();
  const reader = await StargateClient.connect(RPC);
  check("a reader sees the height", (await reader.getHeight()) >= heights[2]);
  for (const client of [rich, poor, reader, comet]) client.disconnect();
}

await main();
// CosmJS connects a WebSocket again that its owner has disconnected, which would keep this program alive.
process.exit(0);
