use super::*;
use crate::rules::Rules;
use crate::testing::TestChain;

#[test]
fn numbers_are_given_once_in_order() {
    let mut chain = TestChain::new(Rules::reference());
    let people: Vec<Address> = (0..3).map(|byte| Address([byte; 20])).collect();
    let result: Result<(), ChainError> = chain.run(|ctx| {
        ensure_account(ctx, &people[0])?;
        ensure_account(ctx, &people[0])?;
        ensure_module_account(ctx, "proof")?;
        ensure_module_account(ctx, "proof")?;
        ensure_account(ctx, &people[1])?;
        let number = |address: Address| {
            account(ctx, &address).map(|found| found.unwrap().base().unwrap().account_number)
        };
        assert_eq!(number(people[0])?, 0);
        assert_eq!(number(Address::module("proof"))?, 1);
        assert_eq!(number(people[1])?, 2);
        assert_eq!(account(ctx, &people[2])?, None);
        assert!(ensure_module_account(ctx, "weather").is_err());
        Ok(())
    });
    result.unwrap();
}

#[test]
fn accounts_of_a_genesis_keep_their_numbers() {
    let mut chain = TestChain::new(Rules::reference());
    let person = |byte: u8| Address([byte; 20]);
    let given = |byte: u8, account_number| {
        Account::Base(BaseAccount {
            address: person(byte).to_bech32(),
            account_number,
            ..Default::default()
        })
        .to_any()
    };
    let state = proto::cosmos::auth::v1beta1::GenesisState {
        params: genesis::default_params(),
        // Two have 7, and two have 1: the lowest free numbers are 0 and 2.
        accounts: vec![given(1, 7), given(2, 1), given(3, 7), given(4, 1)],
    };
    chain.run(|ctx| genesis::init(ctx, state)).unwrap();
    let result: Result<(), ChainError> = chain.run(|ctx| {
        ensure_account(ctx, &person(5))?;
        let numbers = (1..=5).map(|byte| {
            let found = account(ctx, &person(byte))?;
            Ok(found.unwrap().base().unwrap().account_number)
        });
        let numbers: Result<Vec<u64>, ChainError> = numbers.collect();
        assert_eq!(numbers?, [7, 1, 2, 0, 8]);
        Ok(())
    });
    result.unwrap();
}

#[test]
fn an_ordinary_account_at_a_modules_address_becomes_the_modules() {
    let mut chain = TestChain::new(Rules::reference());
    let result: Result<(), ChainError> = chain.run(|ctx| {
        let address = Address::module("gateway");
        ensure_account(ctx, &address)?;
        ensure_module_account(ctx, "gateway")?;
        let Some(Account::Module(module)) = account(ctx, &address)? else {
            panic!("not a module")
        };
        assert_eq!(module.permissions, ["minter", "burner", "staking"]);
        assert_eq!(module.base_account.unwrap().account_number, 0);
        Ok(())
    });
    result.unwrap();
}

#[test]
fn nonces_expire_with_their_timeout() {
    let mut chain = TestChain::new(Rules::reference());
    let sender = Address([7; 20]);
    let now = u64::try_from(chain.block.time.unix_nanos()).unwrap();
    chain
        .run(|ctx| unordered::use_nonce(ctx, &sender, now + 1))
        .unwrap();
    chain
        .run(|ctx| unordered::use_nonce(ctx, &sender, now + 2))
        .unwrap();
    let again = chain.run(|ctx| unordered::use_nonce(ctx, &sender, now + 1));
    assert_eq!(again.unwrap_err().code, crate::sdk::INVALID_REQUEST);
    chain.block.time.nanos += 1;
    chain.run(unordered::expire).unwrap();
    chain
        .run(|ctx| unordered::use_nonce(ctx, &sender, now + 1))
        .unwrap();
    let kept = chain.run(|ctx| unordered::use_nonce(ctx, &sender, now + 2));
    assert_eq!(kept.unwrap_err().code, crate::sdk::INVALID_REQUEST);
}
