package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	_ "cosmossdk.io/api/cosmos/bank/v1beta1" // annotations of MsgSend for amino JSON
	basev1beta1 "cosmossdk.io/api/cosmos/base/v1beta1"
	_ "cosmossdk.io/api/cosmos/crypto/secp256k1"
	signingv1beta1 "cosmossdk.io/api/cosmos/tx/signing/v1beta1"
	txv1beta1 "cosmossdk.io/api/cosmos/tx/v1beta1"
	"cosmossdk.io/x/tx/signing"
	"cosmossdk.io/x/tx/signing/aminojson"
	directmode "cosmossdk.io/x/tx/signing/direct"
	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/rpc/client/http"
	comettypes "github.com/cometbft/cometbft/types"
	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	cryptocodec "github.com/cosmos/cosmos-sdk/crypto/codec"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	sdk "github.com/cosmos/cosmos-sdk/types"
	sdktx "github.com/cosmos/cosmos-sdk/types/tx"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/anypb"
)

type mode = signingv1beta1.SignMode

const (
	direct = signingv1beta1.SignMode_SIGN_MODE_DIRECT
	amino  = signingv1beta1.SignMode_SIGN_MODE_LEGACY_AMINO_JSON
)

// chain is a node, asked over all its doors.
type chain struct {
	ctx      context.Context
	comet    *http.HTTP
	conn     *grpc.ClientConn
	id       string
	types    types
	accounts accounts
}

// accounts are retrieved as the SDK's own tools do it: over gRPC, and over the RPC.
type accounts struct {
	retriever authtypes.AccountRetriever
	overGRPC  client.Context
	overRPC   client.Context
}

func newAccounts(chain *chain) accounts {
	registry := codectypes.NewInterfaceRegistry()
	authtypes.RegisterInterfaces(registry)
	cryptocodec.RegisterInterfaces(registry)
	base := client.Context{}.WithCodec(codec.NewProtoCodec(registry)).WithInterfaceRegistry(registry).WithChainID(chain.id)
	return accounts{overGRPC: base.WithGRPCClient(chain.conn), overRPC: base.WithClient(chain.comet)}
}

func (c *chain) checkAccounts(key *secp256k1.PrivKey) {
	who := sdk.AccAddress(key.PubKey().Address())
	// An error unless the answer names its height exactly once.
	account, height, err := c.accounts.retriever.GetAccountWithHeight(c.accounts.overGRPC, who)
	check("the account retriever gets an account over gRPC", err == nil && height > 0, err)
	other, _, err := c.accounts.retriever.GetAccountWithHeight(c.accounts.overRPC, who)
	check("and over the RPC", err == nil && other.GetAccountNumber() == account.GetAccountNumber(), err)
	err = c.accounts.retriever.EnsureExists(c.accounts.overGRPC, sdk.AccAddress(secp256k1.GenPrivKey().PubKey().Address()))
	check("a stranger has none, with the code NOT_FOUND", status.Code(err) == codes.NotFound, err)
}

func (c *chain) query(method string, request *dynamicpb.Message, answer string) *dynamicpb.Message {
	response := c.types.empty(answer)
	must(0, c.conn.Invoke(c.ctx, method, request, response))(method)
	return response
}

func (c *chain) checkAbsent(who string) {
	request := c.types.message("pocket.application.QueryGetApplicationRequest", fields{"address": who})
	err := c.conn.Invoke(c.ctx, "/pocket.application.Query/Application", request, c.types.empty("pocket.application.QueryGetApplicationResponse"))
	check("an application that is none has the code NOT_FOUND", status.Code(err) == codes.NotFound, err)
}

func (c *chain) checkSameOverRPC(method string, request *dynamicpb.Message, answer string) {
	overGRPC := c.query(method, request, answer)
	response := must(c.comet.ABCIQuery(c.ctx, method, must(proto.Marshal(request))("request")))("abci_query")
	check("abci_query answers it", response.Response.Code == 0, response.Response.Log)
	overRPC := c.types.empty(answer)
	must(0, proto.Unmarshal(response.Response.Value, overRPC))("abci_query")
	same := text(overGRPC, "session", "session_id") == text(overRPC, "session", "session_id")
	check("with the same session, unless a new one began", same || must(c.comet.Status(c.ctx))("status").SyncInfo.LatestBlockHeight > response.Response.Height, overRPC)
}

// built is a transaction's two halves, and who signs.
type built struct {
	body, authInfo []byte
	data           signing.TxData
	signer         signing.SignerData
}

func (c *chain) build(key *secp256k1.PrivKey, how mode, gas uint64, messages ...*dynamicpb.Message) built {
	account := must(c.accounts.retriever.GetAccount(c.accounts.overGRPC, sdk.AccAddress(key.PubKey().Address())))("account")
	body := &txv1beta1.TxBody{Memo: "from Go <&>"}
	for _, message := range messages {
		body.Messages = append(body.Messages, &anypb.Any{
			TypeUrl: "/" + string(message.Descriptor().FullName()), Value: must(proto.Marshal(message))("message"),
		})
	}
	public := &anypb.Any{TypeUrl: "/cosmos.crypto.secp256k1.PubKey", Value: append([]byte{0x0a, 33}, key.PubKey().Bytes()...)}
	var fee []*basev1beta1.Coin
	if gas > 0 {
		fee = []*basev1beta1.Coin{{Denom: "upokt", Amount: fmt.Sprint((gas + 999_999) / 1_000_000)}}
	}
	info := &txv1beta1.AuthInfo{
		SignerInfos: []*txv1beta1.SignerInfo{{
			PublicKey: public, Sequence: account.GetSequence(),
			ModeInfo: &txv1beta1.ModeInfo{Sum: &txv1beta1.ModeInfo_Single_{Single: &txv1beta1.ModeInfo_Single{Mode: how}}},
		}},
		Fee: &txv1beta1.Fee{GasLimit: gas, Amount: fee},
	}
	bodyBytes, infoBytes := must(proto.Marshal(body))("body"), must(proto.Marshal(info))("auth info")
	return built{
		body: bodyBytes, authInfo: infoBytes,
		data: signing.TxData{Body: body, AuthInfo: info, BodyBytes: bodyBytes, AuthInfoBytes: infoBytes},
		signer: signing.SignerData{
			Address: address(key), ChainID: c.id, AccountNumber: account.GetAccountNumber(),
			Sequence: account.GetSequence(), PubKey: public,
		},
	}
}

// sign has the SDK say what is signed.
func (c *chain) sign(key *secp256k1.PrivKey, how mode, tx built) []byte {
	var handler signing.SignModeHandler = directmode.SignModeHandler{}
	if how == amino {
		options := aminojson.SignModeHandlerOptions{FileResolver: c.types.files, TypeResolver: c.types}
		if strings.HasPrefix(tx.data.Body.Messages[0].TypeUrl, "/cosmos.") {
			// The SDK's own messages have their amino names as annotations, which our set leaves out.
			options = aminojson.SignModeHandlerOptions{FileResolver: protoregistry.GlobalFiles, TypeResolver: protoregistry.GlobalTypes}
		}
		handler = aminojson.NewSignModeHandler(options)
	}
	document := must(handler.GetSignBytes(c.ctx, tx.signer, tx.data))("sign bytes")
	signature := must(key.Sign(document))("signature")
	raw := &txv1beta1.TxRaw{BodyBytes: tx.body, AuthInfoBytes: tx.authInfo, Signatures: [][]byte{signature}}
	return must(proto.Marshal(raw))("transaction")
}

// send simulates, signs and delivers.
func (c *chain) send(key *secp256k1.PrivKey, how mode, messages ...*dynamicpb.Message) abci.ExecTxResult {
	service := sdktx.NewServiceClient(c.conn)
	trial := c.sign(key, how, c.build(key, how, 0, messages...))
	simulated := must(service.Simulate(c.ctx, &sdktx.SimulateRequest{TxBytes: trial}))("simulate")
	gas := simulated.GasInfo.GasUsed * 17 / 10
	return c.deliver(c.sign(key, how, c.build(key, how, gas, messages...)))
}

// deliver broadcasts, and waits for the block's event.
func (c *chain) deliver(signed []byte) abci.ExecTxResult {
	query := fmt.Sprintf("tm.event='Tx' AND tx.hash='%X'", comettypes.Tx(signed).Hash())
	events := must(c.comet.Subscribe(c.ctx, "interop", query))("subscribe")
	defer c.comet.Unsubscribe(c.ctx, "interop", query) //nolint:errcheck
	answer := must(sdktx.NewServiceClient(c.conn).BroadcastTx(c.ctx, &sdktx.BroadcastTxRequest{TxBytes: signed, Mode: sdktx.BroadcastMode_BROADCAST_MODE_SYNC}))("broadcast")
	check("the mempool takes it", answer.TxResponse.Code == 0, answer.TxResponse.RawLog)
	select {
	case event := <-events:
		data := event.Data.(comettypes.EventDataTx)
		check("the event has its bytes", bytes.Equal(data.Tx, signed), data)
		found := must(c.comet.Tx(c.ctx, comettypes.Tx(signed).Hash(), false))("tx")
		check("and a query its height", found.Height == data.Height, found)
		return data.Result
	case <-c.ctx.Done():
		check("a block takes it", false, c.ctx.Err())
	}
	return abci.ExecTxResult{}
}

func (c *chain) checkRefused(key *secp256k1.PrivKey, message *dynamicpb.Message) {
	trial := c.sign(key, direct, c.build(key, direct, 1_000_000, message))
	_, err := sdktx.NewServiceClient(c.conn).Simulate(c.ctx, &sdktx.SimulateRequest{TxBytes: trial})
	check("a simulation keeps the chain's words", err != nil && strings.Contains(err.Error(), "message index: 0"), err)
	result := c.deliver(trial)
	check("and so does the block", result.Code != 0 && strings.Contains(result.Log, "message index: 0"), result)
}
