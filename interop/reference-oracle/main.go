// The reference's own application, spoken to in lines of JSON. README.md says how.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"cosmossdk.io/log"
	abci "github.com/cometbft/cometbft/abci/types"
	comet "github.com/cometbft/cometbft/proto/tendermint/types"
	database "github.com/cosmos/cosmos-db"
	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/testutil/sims"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/pokt-network/poktroll/app"
)

// Sections of an exported state that are told: what the state machine of relaymill has, too.
var sections = []string{
	"application", "auth", "authz", "bank", "distribution", "gateway", "mint", "proof", "service", "session", "shared",
	"slashing", "staking", "supplier", "tokenomics",
}

// A row of stdin. Binary is base64, but addresses and hashes are hex.
type row struct {
	Command     string          `json:"cmd"`
	Genesis     json.RawMessage `json:"genesis"`
	Height      int64           `json:"height"`
	Hash        string          `json:"hash"`
	Time        time.Time       `json:"time"`
	Proposer    string          `json:"proposer"`
	Txs         [][]byte        `json:"txs"`
	Votes       []vote          `json:"votes"`
	Misbehavior []misbehavior   `json:"misbehavior"`
	Method      string          `json:"method"`
	Request     []byte          `json:"request"`
}

type vote struct {
	Address string `json:"address"`
	Power   int64  `json:"power"`
	Flag    int32  `json:"flag"`
}

type misbehavior struct {
	Type    int32     `json:"type"`
	Address string    `json:"address"`
	Power   int64     `json:"power"`
	Height  int64     `json:"height"`
	Time    time.Time `json:"time"`
	Total   int64     `json:"total"`
}

type object = map[string]any

type oracle struct {
	app  *app.App
	home string
}

func main() {
	config := sdk.GetConfig()
	config.SetBech32PrefixForAccount("pokt", "poktpub")
	config.SetBech32PrefixForValidator("poktvaloper", "poktvaloperpub")
	config.SetBech32PrefixForConsensusNode("poktvalcons", "poktvalconspub")
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() error {
	home, err := os.MkdirTemp("", "reference-oracle")
	if err != nil {
		return err
	}
	defer os.RemoveAll(home)
	oracle := &oracle{home: home}
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		answer, err := json.Marshal(oracle.answer(line))
		if err != nil {
			return err
		}
		// The application writes to stdout, too: answers are marked.
		fmt.Printf("@%s\n", answer)
	}
}

// A block at which the reference panics is an answer, as an error is.
func (o *oracle) answer(line []byte) (answer any) {
	defer func() {
		if panicked := recover(); panicked != nil {
			answer = object{"error": fmt.Sprint(panicked)}
		}
	}()
	var row row
	if err := json.Unmarshal(line, &row); err != nil {
		return object{"error": err.Error()}
	}
	answer, err := o.command(row)
	if err != nil {
		return object{"error": err.Error()}
	}
	return answer
}

func (o *oracle) command(row row) (any, error) {
	if row.Command == "init" {
		return o.init(row.Genesis)
	}
	if o.app == nil {
		return nil, errors.New("cmd: init comes first")
	}
	switch row.Command {
	case "block":
		return o.block(row)
	case "query":
		return o.query(row), nil
	case "export":
		exported, err := o.app.ExportAppStateAndValidators(false, nil, sections)
		return json.RawMessage(exported.AppState), err
	default:
		return nil, fmt.Errorf("cmd: %q is not init, block, query or export", row.Command)
	}
}

// Starts a new chain. Parameters of consensus are those that CometBFT gives a new chain.
func (o *oracle) init(document json.RawMessage) (any, error) {
	var genesis struct {
		Time          time.Time       `json:"genesis_time"`
		ChainID       string          `json:"chain_id"`
		InitialHeight json.RawMessage `json:"initial_height"`
		AppState      json.RawMessage `json:"app_state"`
	}
	if err := json.Unmarshal(document, &genesis); err != nil {
		return nil, err
	}
	height, err := strconv.ParseInt(strings.Trim(string(genesis.InitialHeight), `"`), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("initial_height: %w", err)
	}
	options := sims.NewAppOptionsWithFlagHome(o.home)
	chainID := baseapp.SetChainID(genesis.ChainID)
	o.app, err = app.New(log.NewNopLogger(), database.NewMemDB(), nil, true, options, chainID)
	if err != nil {
		return nil, err
	}
	_, err = o.app.InitChain(&abci.RequestInitChain{
		Time:          genesis.Time,
		ChainId:       genesis.ChainID,
		InitialHeight: height,
		AppStateBytes: genesis.AppState,
		ConsensusParams: &comet.ConsensusParams{
			Block:     &comet.BlockParams{MaxBytes: 22020096, MaxGas: -1},
			Evidence:  &comet.EvidenceParams{MaxAgeNumBlocks: 100000, MaxAgeDuration: 48 * time.Hour, MaxBytes: 1048576},
			Validator: &comet.ValidatorParams{PubKeyTypes: []string{"ed25519"}},
			Version:   &comet.VersionParams{},
			Abci:      &comet.ABCIParams{},
		},
	})
	return object{"ok": true}, err
}

func (o *oracle) block(row row) (any, error) {
	request := &abci.RequestFinalizeBlock{Txs: row.Txs, Height: row.Height, Time: row.Time}
	var err error
	if request.Hash, err = hex.DecodeString(row.Hash); err != nil {
		return nil, fmt.Errorf("hash: %w", err)
	}
	if request.ProposerAddress, err = hex.DecodeString(row.Proposer); err != nil {
		return nil, fmt.Errorf("proposer: %w", err)
	}
	for _, vote := range row.Votes {
		address, err := hex.DecodeString(vote.Address)
		if err != nil {
			return nil, fmt.Errorf("votes: %w", err)
		}
		request.DecidedLastCommit.Votes = append(request.DecidedLastCommit.Votes, abci.VoteInfo{
			Validator:   abci.Validator{Address: address, Power: vote.Power},
			BlockIdFlag: comet.BlockIDFlag(vote.Flag),
		})
	}
	for _, shown := range row.Misbehavior {
		address, err := hex.DecodeString(shown.Address)
		if err != nil {
			return nil, fmt.Errorf("misbehavior: %w", err)
		}
		request.Misbehavior = append(request.Misbehavior, abci.Misbehavior{
			Type:             abci.MisbehaviorType(shown.Type),
			Validator:        abci.Validator{Address: address, Power: shown.Power},
			Height:           shown.Height,
			Time:             shown.Time,
			TotalVotingPower: shown.Total,
		})
	}
	response, err := o.app.FinalizeBlock(request)
	if err != nil {
		return nil, err
	}
	if _, err := o.app.Commit(); err != nil {
		return nil, err
	}
	return results(row.Height, response), nil
}

// Results of a block as the RPC's block_results shows them, without gas and hashes.
func results(height int64, response *abci.ResponseFinalizeBlock) object {
	txs := []object{}
	for _, tx := range response.TxResults {
		txs = append(txs, object{
			"code": tx.Code, "codespace": tx.Codespace, "log": tx.Log, "events": events(tx.Events),
		})
	}
	updates := []object{}
	for _, update := range response.ValidatorUpdates {
		key := object{"ed25519": update.PubKey.GetEd25519()}
		sum := object{"type": "tendermint.crypto.PublicKey_Ed25519", "value": key}
		told := object{"pub_key": object{"Sum": sum}}
		// The RPC leaves out the power of a validator that leaves.
		if update.Power != 0 {
			told["power"] = strconv.FormatInt(update.Power, 10)
		}
		updates = append(updates, told)
	}
	return object{
		"height":                strconv.FormatInt(height, 10),
		"txs_results":           txs,
		"finalize_block_events": events(response.Events),
		"validator_updates":     updates,
	}
}

func events(list []abci.Event) []object {
	told := []object{}
	for _, event := range list {
		attributes := []object{}
		for _, pair := range event.Attributes {
			attributes = append(attributes, object{"key": pair.Key, "value": pair.Value, "index": pair.Index})
		}
		told = append(told, object{"type": event.Type, "attributes": attributes})
	}
	return told
}

// Answers a gRPC call at a height, or at the latest when it is 0.
func (o *oracle) query(row row) any {
	failed := func(err error) object {
		status, _ := status.FromError(err)
		return object{"code": int(status.Code()), "message": status.Message()}
	}
	context, err := o.app.CreateQueryContext(row.Height, false)
	if err != nil {
		return failed(err)
	}
	handler := o.app.GRPCQueryRouter().Route(row.Method)
	if handler == nil {
		return object{"code": int(codes.Unimplemented), "message": "no such method"}
	}
	answer, err := handler(context, &abci.RequestQuery{Data: row.Request, Path: row.Method, Height: row.Height})
	if err != nil {
		return failed(err)
	}
	return object{"code": 0, "response": base64.StdEncoding.EncodeToString(answer.Value)}
}
