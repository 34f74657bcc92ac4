package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"sort"
	"strconv"
	"time"

	"cosmossdk.io/core/address"
	"cosmossdk.io/core/comet"
	header_ "cosmossdk.io/core/header"
	"cosmossdk.io/log"
	"cosmossdk.io/math"
	storetypes "cosmossdk.io/store/types"
	"cosmossdk.io/x/evidence"
	evidencekeeper "cosmossdk.io/x/evidence/keeper"
	evidencetypes "cosmossdk.io/x/evidence/types"
	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/cosmos/gogoproto/proto"

	errorsmod "cosmossdk.io/errors"
	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/codec"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	cryptocodec "github.com/cosmos/cosmos-sdk/crypto/codec"
	"github.com/cosmos/cosmos-sdk/crypto/keys/ed25519"
	"github.com/cosmos/cosmos-sdk/runtime"
	"github.com/cosmos/cosmos-sdk/testutil/integration"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authkeeper "github.com/cosmos/cosmos-sdk/x/auth/keeper"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	distrkeeper "github.com/cosmos/cosmos-sdk/x/distribution/keeper"
	distrtypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	mintkeeper "github.com/cosmos/cosmos-sdk/x/mint/keeper"
	minttypes "github.com/cosmos/cosmos-sdk/x/mint/types"
	"github.com/cosmos/cosmos-sdk/x/slashing"
	slashingkeeper "github.com/cosmos/cosmos-sdk/x/slashing/keeper"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingkeeper "github.com/cosmos/cosmos-sdk/x/staking/keeper"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
)

var out *bufio.Writer
var cdc *codec.ProtoCodec

type any_ = interface{}

func emit(v any_) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	out.Write(b)
	out.WriteByte('\n')
}

func flat(evs []abci.Event) [][]any_ {
	r := [][]any_{}
	for _, e := range evs {
		at := [][2]string{}
		for _, a := range e.Attributes {
			at = append(at, [2]string{a.Key, a.Value})
		}
		r = append(r, []any_{e.Type, at})
	}
	return r
}

type cometInfo struct{ ev []abci.Misbehavior }
type evList struct{ ev []abci.Misbehavior }
type ev1 struct{ e abci.Misbehavior }
type val1 struct{ v abci.Validator }

func (c cometInfo) GetEvidence() comet.EvidenceList { return evList{c.ev} }
func (c cometInfo) GetValidatorsHash() []byte       { return nil }
func (c cometInfo) GetProposerAddress() []byte      { return nil }
func (c cometInfo) GetLastCommit() comet.CommitInfo { return nil }
func (l evList) Len() int                           { return len(l.ev) }
func (l evList) Get(i int) comet.Evidence           { return ev1{l.ev[i]} }
func (e ev1) Type() comet.MisbehaviorType           { return comet.MisbehaviorType(e.e.Type) }
func (e ev1) Validator() comet.Validator            { return val1{e.e.Validator} }
func (e ev1) Height() int64                         { return e.e.Height }
func (e ev1) Time() time.Time                       { return e.e.Time }
func (e ev1) TotalVotingPower() int64               { return e.e.TotalVotingPower }
func (v val1) Address() []byte                      { return v.v.Address }
func (v val1) Power() int64                         { return v.v.Power }

type member struct {
	key   []byte
	power int64
}

func consAddr(key []byte) []byte { h := sha256.Sum256(key); return h[:20] }

func sorted(m map[string]int64) []member {
	r := []member{}
	for k, p := range m {
		r = append(r, member{[]byte(k), p})
	}
	sort.Slice(r, func(i, j int) bool {
		if r[i].power != r[j].power {
			return r[i].power > r[j].power
		}
		return string(consAddr(r[i].key)) < string(consAddr(r[j].key))
	})
	return r
}

func clone(m map[string]int64) map[string]int64 {
	r := map[string]int64{}
	for k, v := range m {
		r[k] = v
	}
	return r
}

func apply(m map[string]int64, ups []abci.ValidatorUpdate) map[string]int64 {
	r := clone(m)
	for _, u := range ups {
		k := string(u.PubKey.GetEd25519())
		if u.Power == 0 {
			delete(r, k)
		} else {
			r[k] = u.Power
		}
	}
	return r
}

func ups(us []abci.ValidatorUpdate) [][]any_ {
	r := [][]any_{}
	for _, u := range us {
		r = append(r, []any_{hex.EncodeToString(u.PubKey.GetEd25519()), u.Power})
	}
	return r
}

func main() {
	seed, _ := strconv.ParseInt(os.Args[1], 10, 64)
	blocks, _ := strconv.ParseInt(os.Args[2], 10, 64)
	f, _ := os.Create(os.Args[3])
	defer f.Close()
	out = bufio.NewWriter(f)
	defer out.Flush()
	rng := rand.New(rand.NewSource(seed))

	cfg := sdk.GetConfig()
	cfg.SetBech32PrefixForAccount("pokt", "poktpub")
	cfg.SetBech32PrefixForValidator("poktvaloper", "poktvaloperpub")
	cfg.SetBech32PrefixForConsensusNode("poktvalcons", "poktvalconspub")

	ir := codectypes.NewInterfaceRegistry()
	cryptocodec.RegisterInterfaces(ir)
	authtypes.RegisterInterfaces(ir)
	banktypes.RegisterInterfaces(ir)
	stakingtypes.RegisterInterfaces(ir)
	distrtypes.RegisterInterfaces(ir)
	slashingtypes.RegisterInterfaces(ir)
	minttypes.RegisterInterfaces(ir)
	evidencetypes.RegisterInterfaces(ir)
	cdc = codec.NewProtoCodec(ir)

	keys := storetypes.NewKVStoreKeys(authtypes.StoreKey, banktypes.StoreKey, stakingtypes.StoreKey, distrtypes.StoreKey, slashingtypes.StoreKey, minttypes.StoreKey, evidencetypes.StoreKey)
	logger := log.NewNopLogger()
	cms := integration.CreateMultiStore(keys, logger)
	start := time.Unix(1_700_000_000, 123_456_789).UTC()
	cp := cmtproto.ConsensusParams{
		Block:     &cmtproto.BlockParams{MaxBytes: 22020096, MaxGas: -1},
		Evidence:  &cmtproto.EvidenceParams{MaxAgeNumBlocks: 12, MaxAgeDuration: 30 * time.Second, MaxBytes: 1048576},
		Validator: &cmtproto.ValidatorParams{PubKeyTypes: []string{"ed25519"}},
	}
	base := sdk.NewContext(cms, cmtproto.Header{ChainID: "oracle", Height: 0, Time: start}, false, logger).WithConsensusParams(cp)

	macc := map[string][]string{
		"fee_collector": nil, "distribution": nil, "bonded_tokens_pool": {"burner", "staking"},
		"not_bonded_tokens_pool": {"burner", "staking"}, "gov": {"burner"}, "mint": {"minter"},
	}
	authority := authtypes.NewModuleAddress("gov").String()
	var ac address.Codec = addresscodec.NewBech32Codec("pokt")
	vc := addresscodec.NewBech32Codec("poktvaloper")
	cc := addresscodec.NewBech32Codec("poktvalcons")
	ak := authkeeper.NewAccountKeeper(cdc, runtime.NewKVStoreService(keys[authtypes.StoreKey]), authtypes.ProtoBaseAccount, macc, ac, "pokt", authority)
	blocked := map[string]bool{}
	for _, n := range []string{"fee_collector", "distribution", "mint", "bonded_tokens_pool", "not_bonded_tokens_pool"} {
		blocked[authtypes.NewModuleAddress(n).String()] = true
	}
	bk := bankkeeper.NewBaseKeeper(cdc, runtime.NewKVStoreService(keys[banktypes.StoreKey]), ak, blocked, authority, logger)
	sk := stakingkeeper.NewKeeper(cdc, runtime.NewKVStoreService(keys[stakingtypes.StoreKey]), ak, bk, authority, vc, cc)
	dk := distrkeeper.NewKeeper(cdc, runtime.NewKVStoreService(keys[distrtypes.StoreKey]), ak, bk, sk, "fee_collector", authority)
	lk := slashingkeeper.NewKeeper(cdc, codec.NewLegacyAmino(), runtime.NewKVStoreService(keys[slashingtypes.StoreKey]), sk, authority)
	sk.SetHooks(stakingtypes.NewMultiStakingHooks(dk.Hooks(), lk.Hooks()))
	mk := mintkeeper.NewKeeper(cdc, runtime.NewKVStoreService(keys[minttypes.StoreKey]), sk, ak, bk, "fee_collector", authority)
	ek := evidencekeeper.NewKeeper(cdc, runtime.NewKVStoreService(keys[evidencetypes.StoreKey]), sk, lk, ac, runtime.ProvideCometInfoService())

	// People.
	addr := func(name string) sdk.AccAddress { h := sha256.Sum256([]byte(name)); return h[:20] }
	people := []sdk.AccAddress{}
	for i := 0; i < 9; i++ {
		people = append(people, addr(fmt.Sprintf("person%d", i)))
	}
	pub := func(i int) []byte { h := sha256.Sum256([]byte(fmt.Sprintf("cons%d", i))); return h[:] }
	type valst struct {
		op    sdk.AccAddress
		key   []byte
		alive bool
	}
	vals := []valst{}
	var balances []banktypes.Balance
	accs := []string{}
	supply := sdk.NewCoins()
	give := func(a sdk.AccAddress, c sdk.Coins) {
		balances = append(balances, banktypes.Balance{Address: a.String(), Coins: c})
		supply = supply.Add(c...)
	}
	for i, p := range people {
		acc := ak.NewAccountWithAddress(base, p)
		ak.SetAccount(base, acc)
		accs = append(accs, p.String())
		amt := int64(1_000_000_000_000) + rng.Int63n(1000)
		if i == 8 {
			amt = 5_000_000
		}
		give(p, sdk.NewCoins(sdk.NewInt64Coin("upokt", amt), sdk.NewInt64Coin("mact", 1_000_000)))
	}
	dec := func(n, p int64) math.LegacyDec { return math.LegacyNewDecWithPrec(n, p) }
	var gvals []stakingtypes.Validator
	var gdels []stakingtypes.Delegation
	staked := math.ZeroInt()
	for i := 0; i < 3; i++ {
		tokens := math.NewInt(1_000_000 + rng.Int63n(900_000_000))
		pk := &ed25519.PubKey{Key: pub(i)}
		op := sdk.ValAddress(people[i]).String()
		v, _ := stakingtypes.NewValidator(op, pk, stakingtypes.NewDescription(fmt.Sprintf("v%d", i), "", "", "", ""))
		v.Tokens = tokens
		v.DelegatorShares = math.LegacyNewDecFromInt(tokens)
		v.Commission = stakingtypes.NewCommissionWithTime(dec(rng.Int63n(20), 2), dec(20+rng.Int63n(30), 2), dec(1+rng.Int63n(5), 2), start.Add(-48*time.Hour))
		gvals = append(gvals, v)
		other := math.NewInt(rng.Int63n(900_000))
		gdels = append(gdels, stakingtypes.NewDelegation(people[i].String(), op, math.LegacyNewDecFromInt(tokens.Sub(other))))
		gdels = append(gdels, stakingtypes.NewDelegation(people[5].String(), op, math.LegacyNewDecFromInt(other)))
		staked = staked.Add(tokens)
		vals = append(vals, valst{people[i], pub(i), true})
	}
	give(authtypes.NewModuleAddress("not_bonded_tokens_pool"), sdk.NewCoins(sdk.NewCoin("upokt", staked)))
	bankGen := banktypes.NewGenesisState(banktypes.DefaultParams(), balances, supply, nil, nil)
	bk.InitGenesis(base, bankGen)
	ak.GetModuleAccount(base, "fee_collector")
	distGen := distrtypes.DefaultGenesisState()
	distGen.Params.CommunityTax = dec(rng.Int63n(8), 2)
	dk.InitGenesis(base, *distGen)
	stakGen := stakingtypes.NewGenesisState(stakingtypes.NewParams(20*time.Second, 4, 3, 5, "upokt", dec(1, 2)), gvals, gdels)
	if seed%2 == 0 {
		stakGen.Params.MinCommissionRate = math.LegacyZeroDec()
	}
	genUps := sk.InitGenesis(base, stakGen)
	ds := []math.LegacyDec{dec(5, 2), dec(333, 3), math.LegacyOneDec(), math.LegacyZeroDec()}[seed%4]
	slaGen := slashingtypes.NewGenesisState(slashingtypes.NewParams(10, dec(5, 1), 15*time.Second, ds, dec(7, 2)), nil, nil)
	lk.InitGenesis(base, sk, slaGen)
	mp := minttypes.DefaultParams()
	mp.MintDenom = "upokt"
	mp.BlocksPerYear = 1000
	if seed%3 == 0 {
		mp.InflationMax, mp.InflationMin, mp.InflationRateChange = math.LegacyZeroDec(), math.LegacyZeroDec(), math.LegacyZeroDec()
	}
	mintGen := minttypes.NewGenesisState(minttypes.InitialMinter(dec(13, 2)), mp)
	ak.GetModuleAccount(base, "gov")
	mk.InitGenesis(base, ak, mintGen)
	raw := func(m proto.Message) json.RawMessage { return cdc.MustMarshalJSON(m) }
	emit(map[string]any_{"seed": seed, "accounts": accs, "time": []int64{start.Unix(), int64(start.Nanosecond())},
		"bank": raw(bankGen), "distribution": raw(distGen), "staking": raw(stakGen), "slashing": raw(slaGen), "mint": raw(mintGen),
		"evidence_max_age": []int64{12, 30}, "updates": ups(genUps)})

	smsg := stakingkeeper.NewMsgServerImpl(sk)
	dmsg := distrkeeper.NewMsgServerImpl(dk)
	lmsg := slashingkeeper.NewMsgServerImpl(lk)
	mmsg := mintkeeper.NewMsgServerImpl(mk)
	squery := stakingkeeper.NewQuerier(sk)
	dquery := distrkeeper.NewQuerier(dk)
	lquery := slashingkeeper.NewQuerier(lk)
	_ = baseapp.GRPCQueryRouter{}

	sets := map[int64]map[string]int64{}
	sets[1] = apply(map[string]int64{}, genUps)
	sets[2] = clone(sets[1])
	down := map[string]bool{}
	now := start
	coin := func(n int64) sdk.Coin { return sdk.NewInt64Coin("upokt", n) }
	nextVal := 3

	for h := int64(1); h <= blocks; h++ {
		now = now.Add(time.Duration(1_000_000_000 + rng.Int63n(4_000_000_000)))
		if rng.Intn(15) == 0 {
			now = now.Add(25 * time.Second)
		}
		voters := []member{}
		if h > 1 {
			voters = sorted(sets[h-1])
		}
		few := len(sets[h]) <= 2
		for _, m := range sorted(sets[h]) {
			if few {
				down[string(m.key)] = false
			} else if rng.Intn(25) == 0 {
				down[string(m.key)] = !down[string(m.key)]
			}
		}
		votes := []abci.VoteInfo{}
		jv := [][]any_{}
		for _, m := range voters {
			flag := cmtproto.BlockIDFlagCommit
			if down[string(m.key)] {
				flag = cmtproto.BlockIDFlagAbsent
			} else if rng.Intn(40) == 0 {
				flag = cmtproto.BlockIDFlagNil
			}
			votes = append(votes, abci.VoteInfo{Validator: abci.Validator{Address: consAddr(m.key), Power: m.power}, BlockIdFlag: flag})
			jv = append(jv, []any_{hex.EncodeToString(consAddr(m.key)), m.power, int(flag)})
		}
		mis := []abci.Misbehavior{}
		jm := [][]any_{}
		if h > 12 && !few && rng.Intn(30) == 0 {
			hh := h - 1 - rng.Int63n(10)
			ms := sorted(sets[hh])
			if len(ms) > 1 {
				m := ms[1+rng.Intn(len(ms)-1)]
				// Only validators that the reference survives.
				if v, err := sk.GetValidatorByConsAddr(base, consAddr(m.key)); err == nil && !v.IsUnbonded() {
					t := now.Add(-time.Duration(h-hh) * 3 * time.Second)
					mis = append(mis, abci.Misbehavior{Type: abci.MisbehaviorType_DUPLICATE_VOTE, Validator: abci.Validator{Address: consAddr(m.key), Power: m.power}, Height: hh, Time: t, TotalVotingPower: 100})
					jm = append(jm, []any_{hex.EncodeToString(consAddr(m.key)), m.power, hh, t.Unix(), t.Nanosecond()})
				}
			}
		}
		proposer := consAddr(sorted(sets[h])[0].key)
		header := cmtproto.Header{ChainID: "oracle", Height: h, Time: now, ProposerAddress: proposer}
		ctx := base.WithBlockHeader(header).WithVoteInfos(votes).WithCometInfo(cometInfo{mis}).WithConsensusParams(cp).
			WithHeaderInfo(header_.Info{ChainID: "oracle", Height: h, Time: now})
		run := func(f func(sdk.Context) error) ([]abci.Event, error) {
			em := sdk.NewEventManager()
			err := f(ctx.WithEventManager(em))
			return em.ABCIEvents(), err
		}
		evs, err := run(func(c sdk.Context) error {
			if err := mk.MintFn(c); err != nil {
				return err
			}
			if err := dk.BeginBlocker(c); err != nil {
				return err
			}
			if err := slashing.BeginBlocker(c, lk); err != nil {
				return err
			}
			if err := ek.BeginBlocker(c); err != nil {
				return err
			}
			return sk.BeginBlocker(c)
		})
		if err != nil {
			fmt.Println("halt in begin", h, err)
			return
		}
		emit(map[string]any_{"begin": h, "time": []int64{now.Unix(), int64(now.Nanosecond())}, "proposer": hex.EncodeToString(proposer), "votes": jv, "misbehaviour": jm, "events": flat(evs)})

		// Fees.
		if rng.Intn(3) > 0 {
			amt := sdk.NewCoins(coin(1 + rng.Int63n(2_000_000)))
			if rng.Intn(4) == 0 {
				amt = amt.Add(sdk.NewInt64Coin("mact", 1+rng.Int63n(50)))
			}
			if err := bk.SendCoinsFromAccountToModule(ctx, people[7], "fee_collector", amt); err == nil {
				emit(map[string]any_{"fee": people[7].String(), "amount": amt})
			}
		}
		rval := func() string { return sdk.ValAddress(vals[rng.Intn(len(vals))].op).String() }
		rper := func() sdk.AccAddress { return people[rng.Intn(len(people))] }
		ramt := func() int64 {
			switch rng.Intn(4) {
			case 0:
				return 1 + rng.Int63n(10)
			case 1:
				return 1 + rng.Int63n(3_000_000)
			default:
				return 1 + rng.Int63n(300_000_000)
			}
		}
		// Half of the time an existing delegation is aimed at.
		pair := func() (string, string) {
			if rng.Intn(10) > 0 {
				ds, _ := sk.GetAllDelegations(ctx)
				if len(ds) > 0 {
					d := ds[rng.Intn(len(ds))]
					return d.DelegatorAddress, d.ValidatorAddress
				}
			}
			return rper().String(), rval()
		}
		all := func(d, v string) int64 {
			db, _ := ac.StringToBytes(d)
			vb, _ := vc.StringToBytes(v)
			del, err := sk.GetDelegation(ctx, db, vb)
			if err != nil {
				return 5
			}
			val, err := sk.GetValidator(ctx, vb)
			if err != nil || val.DelegatorShares.IsZero() {
				return 5
			}
			return val.TokensFromShares(del.Shares).TruncateInt64()
		}
		for n := rng.Intn(5); n > 0; n-- {
			var msg proto.Message
			var do func(context.Context) (proto.Message, error)
			k := rng.Intn(34)
			if few && rng.Intn(2) == 0 {
				k = []int{1, 29, 31, 31}[rng.Intn(4)]
			}
			switch {
			case k < 7:
				m := &stakingtypes.MsgDelegate{DelegatorAddress: rper().String(), ValidatorAddress: rval(), Amount: coin(ramt())}
				msg, do = m, func(c context.Context) (proto.Message, error) { return smsg.Delegate(c, m) }
			case k < 13:
				d, v := pair()
				a := ramt()
				if few {
					a = 1 + rng.Int63n(5000)
				} else if rng.Intn(3) == 0 {
					a = all(d, v)
				}
				if a <= 0 {
					a = 1
				}
				m := &stakingtypes.MsgUndelegate{DelegatorAddress: d, ValidatorAddress: v, Amount: coin(a)}
				msg, do = m, func(c context.Context) (proto.Message, error) { return smsg.Undelegate(c, m) }
			case k < 18:
				d, v := pair()
				a := ramt()
				if rng.Intn(3) == 0 {
					a = all(d, v)
				}
				if a <= 0 {
					a = 1
				}
				m := &stakingtypes.MsgBeginRedelegate{DelegatorAddress: d, ValidatorSrcAddress: v, ValidatorDstAddress: rval(), Amount: coin(a)}
				msg, do = m, func(c context.Context) (proto.Message, error) { return smsg.BeginRedelegate(c, m) }
			case k < 20:
				var ubds []stakingtypes.UnbondingDelegation
				_ = sk.IterateUnbondingDelegations(ctx, func(_ int64, u stakingtypes.UnbondingDelegation) bool { ubds = append(ubds, u); return false })
				m := &stakingtypes.MsgCancelUnbondingDelegation{DelegatorAddress: rper().String(), ValidatorAddress: rval(), Amount: coin(ramt()), CreationHeight: h}
				if len(ubds) > 0 {
					u := ubds[rng.Intn(len(ubds))]
					e := u.Entries[rng.Intn(len(u.Entries))]
					a := e.Balance.Int64()
					if a > 1 && rng.Intn(2) == 0 {
						a = 1 + rng.Int63n(a)
					}
					if a <= 0 {
						a = 1
					}
					m = &stakingtypes.MsgCancelUnbondingDelegation{DelegatorAddress: u.DelegatorAddress, ValidatorAddress: u.ValidatorAddress, Amount: coin(a), CreationHeight: e.CreationHeight}
				}
				msg, do = m, func(c context.Context) (proto.Message, error) { return smsg.CancelUnbondingDelegation(c, m) }
			case k < 24:
				d, v := pair()
				m := &distrtypes.MsgWithdrawDelegatorReward{DelegatorAddress: d, ValidatorAddress: v}
				msg, do = m, func(c context.Context) (proto.Message, error) { return dmsg.WithdrawDelegatorReward(c, m) }
			case k == 24:
				m := &distrtypes.MsgWithdrawValidatorCommission{ValidatorAddress: rval()}
				msg, do = m, func(c context.Context) (proto.Message, error) { return dmsg.WithdrawValidatorCommission(c, m) }
			case k == 25:
				to := rper()
				if rng.Intn(4) == 0 {
					to = authtypes.NewModuleAddress([]string{"gov", "distribution"}[rng.Intn(2)])
				}
				m := &distrtypes.MsgSetWithdrawAddress{DelegatorAddress: rper().String(), WithdrawAddress: to.String()}
				msg, do = m, func(c context.Context) (proto.Message, error) { return dmsg.SetWithdrawAddress(c, m) }
			case k == 26:
				m := &distrtypes.MsgFundCommunityPool{Depositor: rper().String(), Amount: sdk.NewCoins(coin(ramt()))}
				msg, do = m, func(c context.Context) (proto.Message, error) { return dmsg.FundCommunityPool(c, m) }
			case k == 27:
				m := &distrtypes.MsgDepositValidatorRewardsPool{Depositor: rper().String(), ValidatorAddress: rval(), Amount: sdk.NewCoins(coin(ramt()))}
				msg, do = m, func(c context.Context) (proto.Message, error) { return dmsg.DepositValidatorRewardsPool(c, m) }
			case k == 28:
				who := authority
				if rng.Intn(4) == 0 {
					who = people[0].String()
				}
				m := &distrtypes.MsgCommunityPoolSpend{Authority: who, Recipient: rper().String(), Amount: sdk.NewCoins(coin(ramt()))}
				msg, do = m, func(c context.Context) (proto.Message, error) { return dmsg.CommunityPoolSpend(c, m) }
			case k < 31:
				m := &slashingtypes.MsgUnjail{ValidatorAddr: rval()}
				vs, _ := sk.GetAllValidators(ctx)
				for _, v := range vs {
					if v.Jailed && rng.Intn(3) > 0 {
						m.ValidatorAddr = v.OperatorAddress
					}
				}
				msg, do = m, func(c context.Context) (proto.Message, error) { return lmsg.Unjail(c, m) }
			case k == 31:
				i := rng.Intn(7)
				key := pub(nextVal)
				if rng.Intn(5) == 0 {
					key = pub(rng.Intn(nextVal))
				}
				pk := &ed25519.PubKey{Key: key}
				m, _ := stakingtypes.NewMsgCreateValidator(sdk.ValAddress(people[i]).String(), pk, coin(ramt()), stakingtypes.NewDescription(fmt.Sprintf("v%d", nextVal), "", "", "", ""),
					stakingtypes.NewCommissionRates(dec(rng.Int63n(25), 2), dec(20, 2), dec(rng.Int63n(25), 2)), math.NewInt(1+rng.Int63n(50)))
				msg, do = m, func(c context.Context) (proto.Message, error) {
					r, err := smsg.CreateValidator(c, m)
					return r, err
				}
			case k == 32:
				r := dec(rng.Int63n(30), 2)
				var rp *math.LegacyDec
				if rng.Intn(2) == 0 {
					rp = &r
				}
				ms := math.NewInt(rng.Int63n(2_000_000))
				var mp *math.Int
				if rng.Intn(3) == 0 {
					mp = &ms
				}
				d := stakingtypes.NewDescription("renamed", "[do-not-modify]", "web", "[do-not-modify]", "")
				m := stakingtypes.NewMsgEditValidator(rval(), d, rp, mp)
				msg, do = m, func(c context.Context) (proto.Message, error) { return smsg.EditValidator(c, m) }
			default:
				switch rng.Intn(4) {
				case 0:
					p, _ := sk.GetParams(ctx)
					p.MaxValidators = []uint32{0, 3, 4, 5, 6, 8}[rng.Intn(6)]
					m := &stakingtypes.MsgUpdateParams{Authority: authority, Params: p}
					msg, do = m, func(c context.Context) (proto.Message, error) { return smsg.UpdateParams(c, m) }
				case 1:
					p, _ := lk.GetParams(ctx)
					p.SlashFractionDowntime = dec(rng.Int63n(120), 2)
					m := &slashingtypes.MsgUpdateParams{Authority: authority, Params: p}
					msg, do = m, func(c context.Context) (proto.Message, error) { return lmsg.UpdateParams(c, m) }
				case 2:
					p, _ := dk.Params.Get(ctx)
					p.CommunityTax = dec(rng.Int63n(110), 2)
					m := &distrtypes.MsgUpdateParams{Authority: authority, Params: p}
					msg, do = m, func(c context.Context) (proto.Message, error) { return dmsg.UpdateParams(c, m) }
				default:
					p, _ := mk.Params.Get(ctx)
					p.GoalBonded = dec(rng.Int63n(110), 2)
					m := &minttypes.MsgUpdateParams{Authority: authority, Params: p}
					msg, do = m, func(c context.Context) (proto.Message, error) { return mmsg.UpdateParams(c, m) }
				}
			}
			bz, _ := proto.Marshal(msg)
			cache, write := ctx.CacheContext()
			em := sdk.NewEventManager()
			var resp proto.Message
			err := func() (err error) {
				defer func() {
					if r := recover(); r != nil {
						err = fmt.Errorf("PANIC %v", r)
					}
				}()
				resp, err = do(cache.WithEventManager(em))
				return err
			}()
			rec := map[string]any_{"msg": proto.MessageName(msg), "value": hex.EncodeToString(bz)}
			if err != nil {
				cs, code, lg := errorsmod.ABCIInfo(err, false)
				if len(err.Error()) > 5 && err.Error()[:5] == "PANIC" {
					cs, code, lg = "sdk", 111222, err.Error()
				}
				if code == 1 && cs == "undefined" {
					lg = err.Error()
				}
				rec["codespace"], rec["code"], rec["log"] = cs, code, lg
			} else {
				write()
				rbz, _ := proto.Marshal(resp)
				rec["code"] = 0
				rec["response"] = hex.EncodeToString(rbz)
				rec["events"] = flat(em.ABCIEvents())
				if cm, ok := msg.(*stakingtypes.MsgCreateValidator); ok {
					vb, _ := vc.StringToBytes(cm.ValidatorAddress)
					vals = append(vals, valst{vb, pub(nextVal), true})
					nextVal++
				}
			}
			emit(rec)
		}

		var upd []abci.ValidatorUpdate
		evs, err = run(func(c sdk.Context) error { var e error; upd, e = sk.EndBlocker(c); return e })
		if err != nil {
			fmt.Println("halt in end", h, err)
			return
		}
		sets[h+2] = apply(sets[h+1], upd)
		rec := map[string]any_{"end": h, "events": flat(evs), "updates": ups(upd)}
		if h%10 == 0 || h == blocks {
			c, _ := ctx.CacheContext()
			rec["staking"] = raw(sk.ExportGenesis(c))
			rec["distribution"] = raw(dk.ExportGenesis(c))
			rec["slashing"] = raw(lk.ExportGenesis(c))
			rec["mint"] = raw(mk.ExportGenesis(c))
			rec["evidence"] = raw(evidence.ExportGenesis(c, *ek))
			rec["bank"] = raw(bk.ExportGenesis(c))
			qs := [][]any_{}
			q := func(method string, req proto.Message, f func(context.Context) (proto.Message, error)) {
				cc, _ := ctx.CacheContext()
				var r proto.Message
				err := func() (err error) {
					defer func() {
						if x := recover(); x != nil {
							err = fmt.Errorf("PANIC %v", x)
						}
					}()
					r, err = f(cc)
					return err
				}()
				bz, _ := proto.Marshal(req)
				if err != nil {
					qs = append(qs, []any_{method, hex.EncodeToString(bz), nil, err.Error()})
					return
				}
				rb, _ := proto.Marshal(r)
				qs = append(qs, []any_{method, hex.EncodeToString(bz), hex.EncodeToString(rb), ""})
			}
			for _, p := range people {
				a := p.String()
				r1 := &distrtypes.QueryDelegationTotalRewardsRequest{DelegatorAddress: a}
				q("/cosmos.distribution.v1beta1.Query/DelegationTotalRewards", r1, func(c context.Context) (proto.Message, error) { return dquery.DelegationTotalRewards(c, r1) })
				r2 := &stakingtypes.QueryRedelegationsRequest{DelegatorAddr: a}
				q("/cosmos.staking.v1beta1.Query/Redelegations", r2, func(c context.Context) (proto.Message, error) { return squery.Redelegations(c, r2) })
				r3 := &stakingtypes.QueryDelegatorUnbondingDelegationsRequest{DelegatorAddr: a}
				q("/cosmos.staking.v1beta1.Query/DelegatorUnbondingDelegations", r3, func(c context.Context) (proto.Message, error) { return squery.DelegatorUnbondingDelegations(c, r3) })
				r4 := &stakingtypes.QueryDelegatorDelegationsRequest{DelegatorAddr: a}
				q("/cosmos.staking.v1beta1.Query/DelegatorDelegations", r4, func(c context.Context) (proto.Message, error) { return squery.DelegatorDelegations(c, r4) })
				r5 := &stakingtypes.QueryDelegatorValidatorsRequest{DelegatorAddr: a}
				q("/cosmos.staking.v1beta1.Query/DelegatorValidators", r5, func(c context.Context) (proto.Message, error) { return squery.DelegatorValidators(c, r5) })
			}
			for _, v := range vals {
				a := sdk.ValAddress(v.op).String()
				r1 := &distrtypes.QueryValidatorDistributionInfoRequest{ValidatorAddress: a}
				q("/cosmos.distribution.v1beta1.Query/ValidatorDistributionInfo", r1, func(c context.Context) (proto.Message, error) { return dquery.ValidatorDistributionInfo(c, r1) })
				r2 := &distrtypes.QueryValidatorSlashesRequest{ValidatorAddress: a, StartingHeight: 0, EndingHeight: 1000}
				q("/cosmos.distribution.v1beta1.Query/ValidatorSlashes", r2, func(c context.Context) (proto.Message, error) { return dquery.ValidatorSlashes(c, r2) })
				r3 := &stakingtypes.QueryRedelegationsRequest{SrcValidatorAddr: a}
				q("/cosmos.staking.v1beta1.Query/Redelegations", r3, func(c context.Context) (proto.Message, error) { return squery.Redelegations(c, r3) })
				r4 := &stakingtypes.QueryValidatorUnbondingDelegationsRequest{ValidatorAddr: a}
				q("/cosmos.staking.v1beta1.Query/ValidatorUnbondingDelegations", r4, func(c context.Context) (proto.Message, error) { return squery.ValidatorUnbondingDelegations(c, r4) })
			}
			for _, s := range []string{"", "BOND_STATUS_BONDED", "BOND_STATUS_UNBONDING", "nonsense"} {
				r := &stakingtypes.QueryValidatorsRequest{Status: s}
				q("/cosmos.staking.v1beta1.Query/Validators", r, func(c context.Context) (proto.Message, error) { return squery.Validators(c, r) })
			}
			rs := &slashingtypes.QuerySigningInfosRequest{}
			q("/cosmos.slashing.v1beta1.Query/SigningInfos", rs, func(c context.Context) (proto.Message, error) { return lquery.SigningInfos(c, rs) })
			rh := &stakingtypes.QueryHistoricalInfoRequest{Height: h - 1}
			q("/cosmos.staking.v1beta1.Query/HistoricalInfo", rh, func(c context.Context) (proto.Message, error) { return squery.HistoricalInfo(c, rh) })
			rec["queries"] = qs
		}
		emit(rec)
		if len(sets[h+2]) == 0 {
			fmt.Println("no validators left", h)
			return
		}
	}
}
