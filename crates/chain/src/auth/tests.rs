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
