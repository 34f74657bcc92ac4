// A client of a node of ours on the published cosmos-sdk and CometBFT modules: what a POKT tool written in Go does, with
// the same libraries. Pocket messages are made by dynamicpb from the descriptor set that this repository checks in.
//
// Where the node is and whose key to use comes from the environment. Prints one line a check, "ok <what>"; the first that
// fails ends the program with an error.
package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"time"

	"github.com/cometbft/cometbft/rpc/client/http"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const stake = 100_000_000

func check(what string, holds bool, seen any) {
	if !holds {
		fmt.Fprintf(os.Stderr, "failed: %s: %v\n", what, seen)
		os.Exit(1)
	}
	fmt.Println("ok", what)
}

func must[T any](value T, err error) func(what string) T {
	return func(what string) T {
		if err != nil {
			fmt.Fprintf(os.Stderr, "failed: %s: %v\n", what, err)
			os.Exit(1)
		}
		return value
	}
}

func environment(name string) string {
	value := os.Getenv(name)
	if value == "" {
		fmt.Fprintf(os.Stderr, "failed: %s is not set\n", name)
		os.Exit(1)
	}
	return value
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	sdk.GetConfig().SetBech32PrefixForAccount("pokt", "poktpub")

	comet := must(http.New(environment("RELAYMILL_RPC"), "/websocket"))("RPC client")
	must(0, comet.Start())("WebSocket")
	defer comet.Stop() //nolint:errcheck
	conn := must(grpc.NewClient(
		environment("RELAYMILL_GRPC"), grpc.WithTransportCredentials(insecure.NewCredentials()),
	))("gRPC client")
	status := must(comet.Status(ctx))("status")
	check("status names a chain that moves", status.NodeInfo.Network != "" && status.SyncInfo.LatestBlockHeight > 0, status)

	chain := &chain{
		ctx: ctx, comet: comet, conn: conn, id: status.NodeInfo.Network,
		types: readTypes(environment("RELAYMILL_DESCRIPTORS")),
	}
	chain.accounts = newAccounts(chain)
	raw := must(hex.DecodeString(environment("RELAYMILL_KEY")))("RELAYMILL_KEY")
	purse := &secp256k1.PrivKey{Key: raw}
	gateway, application, service := environment("RELAYMILL_GATEWAY"), environment("RELAYMILL_APPLICATION"), environment("RELAYMILL_SERVICE")

	chain.checkAccounts(purse)
	newcomer := secp256k1.GenPrivKey()
	sends(chain, purse, newcomer)
	stakes(chain, newcomer, gateway, service)
	aminoJSON(chain, newcomer, purse)
	session(chain, application, service)
	watches(chain)
	recomputes(chain)
}

func address(key *secp256k1.PrivKey) string {
	return sdk.AccAddress(key.PubKey().Address()).String()
}

func sends(chain *chain, purse, newcomer *secp256k1.PrivKey) {
	send := chain.types.message("cosmos.bank.v1beta1.MsgSend", fields{
		"from_address": address(purse), "to_address": address(newcomer), "amount": []any{upokt(stake / 2)},
	})
	result := chain.send(purse, direct, send)
	check("coins are sent", result.Code == 0, result.Log)
	check("gas is what was asked for", result.GasUsed > 0 && result.GasUsed <= result.GasWanted, result)
	balance := chain.query("/cosmos.bank.v1beta1.Query/Balance", chain.types.message(
		"cosmos.bank.v1beta1.QueryBalanceRequest", fields{"address": address(newcomer), "denom": "upokt"},
	), "cosmos.bank.v1beta1.QueryBalanceResponse")
	check("and arrive", text(balance, "balance", "amount") == fmt.Sprint(stake/2), balance)
}

func stakes(chain *chain, newcomer *secp256k1.PrivKey, gateway, service string) {
	staked := chain.types.message("pocket.application.MsgStakeApplication", fields{
		"address": address(newcomer), "stake": upokt(stake / 8),
		"services": []any{fields{"service_id": service}},
	})
	result := chain.send(newcomer, direct, staked)
	check("an application is staked", result.Code == 0, result.Log)
	delegated := chain.types.message("pocket.application.MsgDelegateToGateway", fields{
		"app_address": address(newcomer), "gateway_address": gateway,
	})
	result = chain.send(newcomer, direct, delegated)
	check("and delegated", result.Code == 0, result.Log)
	request := chain.types.message("pocket.application.QueryGetApplicationRequest", fields{"address": address(newcomer)})
	answer := chain.query("/pocket.application.Query/Application", request, "pocket.application.QueryGetApplicationResponse")
	check("which a query sees", text(answer, "application", "stake", "amount") == fmt.Sprint(stake/8), answer)
	chain.checkAbsent(gateway)
	tooMuch := chain.types.message("pocket.application.MsgStakeApplication", fields{
		"address": address(newcomer), "stake": upokt(stake * 1000), "services": []any{fields{"service_id": service}},
	})
	chain.checkRefused(newcomer, tooMuch)
}

// What Ledger wallets sign.
func aminoJSON(chain *chain, newcomer, purse *secp256k1.PrivKey) {
	send := chain.types.message("cosmos.bank.v1beta1.MsgSend", fields{
		"from_address": address(newcomer), "to_address": address(purse), "amount": []any{upokt(7)},
	})
	result := chain.send(newcomer, amino, send)
	check("a transaction signed in amino JSON is taken", result.Code == 0, result.Log)
	unstake := chain.types.message("pocket.application.MsgUnstakeApplication", fields{"address": address(newcomer)})
	result = chain.send(newcomer, amino, unstake)
	check("of a pocket message too", result.Code == 0, result.Log)
}

func session(chain *chain, application, service string) {
	request := chain.types.message("pocket.session.QueryGetSessionRequest", fields{
		"application_address": application, "service_id": service,
	})
	answer := chain.query("/pocket.session.Query/GetSession", request, "pocket.session.QueryGetSessionResponse")
	check("a session has its application", text(answer, "session", "application", "address") == application, answer)
	check("and an id", len(text(answer, "session", "session_id")) == 64, answer)
	chain.checkSameOverRPC("/pocket.session.Query/GetSession", request, "pocket.session.QueryGetSessionResponse")
}
