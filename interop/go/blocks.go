package main

import (
	"bytes"
	"fmt"

	comettypes "github.com/cometbft/cometbft/types"
)

// watches blocks come in over the WebSocket.
func watches(chain *chain) {
	blocks := must(chain.comet.Subscribe(chain.ctx, "interop", "tm.event='NewBlock'", 10))("subscribe")
	var last int64
	for count := 0; count < 3; count++ {
		select {
		case event := <-blocks:
			block := event.Data.(comettypes.EventDataNewBlock)
			height := block.Block.Height
			check("a block follows the last", last == 0 || height == last+1, height)
			check("and hashes to its id", bytes.Equal(block.Block.Hash(), block.BlockID.Hash), block.BlockID)
			last = height
		case <-chain.ctx.Done():
			check("blocks arrive", false, chain.ctx.Err())
		}
	}
}

// recomputes with CometBFT's own types everything that headers promise, from the first block to the latest.
func recomputes(chain *chain) {
	latest := must(chain.comet.Status(chain.ctx))("status").SyncInfo.LatestBlockHeight
	var previous *comettypes.BlockID
	var results []byte
	wrong := func(what string, height int64, holds bool) {
		if !holds {
			check(fmt.Sprintf("%s of block %d", what, height), false, "another is computed")
		}
	}
	for height := int64(1); height <= latest; height++ {
		answer := must(chain.comet.Block(chain.ctx, &height))("block")
		block, id := answer.Block, answer.BlockID
		header := block.Header
		wrong("the hash", height, bytes.Equal(header.Hash(), id.Hash))
		wrong("the hash of transactions", height, bytes.Equal(block.Data.Hash(), header.DataHash))
		wrong("the hash of evidence", height, bytes.Equal(block.Evidence.Hash(), header.EvidenceHash))
		wrong("the hash of the last commit", height, bytes.Equal(block.LastCommit.Hash(), header.LastCommitHash))
		parts := must(block.MakePartSet(comettypes.BlockPartSizeBytes))("part set")
		wrong("the part set", height, parts.Header().Equals(id.PartSetHeader))
		wrong("the basic validity", height, block.ValidateBasic() == nil)
		if previous != nil {
			wrong("the block before", height, header.LastBlockID.Equals(*previous))
			wrong("the results of the block before", height, bytes.Equal(header.LastResultsHash, results))
		}
		validators := chain.validators(height)
		wrong("the hash of validators", height, bytes.Equal(validators.Hash(), header.ValidatorsHash))
		wrong("the proposer", height, validators.HasAddress(header.ProposerAddress))
		params := must(chain.comet.ConsensusParams(chain.ctx, &height))("consensus params").ConsensusParams
		wrong("the hash of consensus params", height, bytes.Equal(params.Hash(), header.ConsensusHash))
		commit := must(chain.comet.Commit(chain.ctx, &height))("commit")
		err := validators.VerifyCommitLight(chain.id, id, height, commit.Commit)
		wrong("the signatures", height, err == nil)
		done := must(chain.comet.BlockResults(chain.ctx, &height))("block results")
		results = comettypes.NewResults(done.TxsResults).Hash()
		previous = &id
	}
	check(fmt.Sprintf("all %d blocks hash as CometBFT hashes them", latest), latest > 3, latest)
}

func (c *chain) validators(height int64) *comettypes.ValidatorSet {
	page, size := 1, 100
	answer := must(c.comet.Validators(c.ctx, &height, &page, &size))("validators")
	return must(comettypes.ValidatorSetFromExistingValidators(answer.Validators))("validators")
}
