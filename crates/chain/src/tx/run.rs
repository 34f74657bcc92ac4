//! One transaction from bytes to result.
//!
//! Two scopes: the ante checks and the messages. A failing check leaves nothing; a failing message leaves what the checks
//! did (fee, sequence, their events). A panic in either costs the transaction, never the chain.

use std::any::Any as Panic;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crypto::keys::ADDRESS_PREFIX;
use prost_types::Any;
use proto::cosmos::base::abci::v1beta1::TxMsgData;
use tendermint_proto::v0_38::abci::{Event, EventAttribute};

use crate::context::{Context, Mode};
use crate::error::TxError;
use crate::modules::shared::address;
use crate::tx::{GasPrice, Transaction, ante};
use crate::{router, sdk};

/// What a gas limit does to a transaction.
///
/// Gas numbers are an implementation's own. A recording of another node was made with other numbers, so its replay
/// counts gas without a limit, and repeats where that node ran out of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gas {
    /// It ends the transaction that exceeds it.
    #[default]
    Enforced,
    /// Gas is counted and limits nothing.
    Counted,
    /// The messages ran out of it: what the checks did stays, nothing else does.
    Spent,
    /// The block had none left: the transaction was not looked at.
    NoneLeft,
}

/// What came of a transaction.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// Responses of the messages, or the refusal.
    pub(crate) result: Result<TxMsgData, TxError>,
    /// The gas limit.
    pub(crate) gas_wanted: u64,
    /// Gas consumed.
    pub(crate) gas_used: u64,
    /// Events that count: of the checks, and of the messages if all succeeded.
    pub(crate) events: Vec<Event>,
}

impl Outcome {
    fn refused(error: TxError) -> Self {
        Self {
            result: Err(error),
            gas_wanted: 0,
            gas_used: 0,
            events: Vec::new(),
        }
    }
}

/// Runs a transaction in the context's mode: checks only for the mempool, checks and messages otherwise. A simulation may
/// use `gas_limit_max`, whatever limit the transaction has.
pub(crate) fn run(
    ctx: &mut Context,
    bytes: &[u8],
    minimum: GasPrice,
    gas_limit_max: Option<u64>,
    gas: Gas,
) -> Outcome {
    run_read(ctx, read(bytes), minimum, gas_limit_max, gas)
}

/// The same with a transaction that has been read.
pub(crate) fn run_read(
    ctx: &mut Context,
    tx: Result<Transaction, TxError>,
    minimum: GasPrice,
    gas_limit_max: Option<u64>,
    gas: Gas,
) -> Outcome {
    if gas == Gas::NoneLeft {
        let text = "no block gas left to run tx: out of gas";
        return Outcome::refused(TxError::sdk(sdk::OUT_OF_GAS, text));
    }
    let tx = match tx {
        Ok(tx) => tx,
        Err(error) => return Outcome::refused(error),
    };
    let gas_wanted = if ctx.mode == Mode::Simulate {
        u64::MAX
    } else {
        tx.fee().gas_limit
    };
    ctx.meter(match (ctx.mode, gas) {
        (Mode::Simulate, _) => gas_limit_max,
        (_, Gas::Enforced) => Some(gas_wanted),
        _ => None,
    });
    let result = run_metered(ctx, &tx, minimum, gas_limit_max, gas);
    let gas_used = ctx.gas_used();
    ctx.unmeter();
    Outcome {
        result,
        gas_wanted,
        gas_used,
        events: ctx.take_events(),
    }
}

fn run_metered(
    ctx: &mut Context,
    tx: &Transaction,
    minimum: GasPrice,
    gas_limit_max: Option<u64>,
    gas: Gas,
) -> Result<TxMsgData, TxError> {
    let limit = tx.fee().gas_limit;
    if ctx.mode != Mode::Simulate
        && let Some(max) = gas_limit_max
        && limit > max
    {
        let text = format!("tx gas limit {limit} exceeds block max gas {max}: invalid gas limit");
        return Err(TxError::sdk(sdk::INVALID_GAS_LIMIT, text));
    }
    scope(ctx, |ctx| ante::check(ctx, tx, minimum))?;
    if matches!(ctx.mode, Mode::Check | Mode::Recheck) {
        return Ok(TxMsgData::default());
    }
    if gas == Gas::Spent {
        let text = format!("out of gas in location: replay; gasWanted: {limit}: out of gas");
        return Err(TxError::sdk(sdk::OUT_OF_GAS, text));
    }
    let of_checks = ctx.take_events();
    let result = scope(ctx, |ctx| run_messages(ctx, &tx.body.messages));
    let of_messages = ctx.take_events();
    ctx.put_events(of_checks);
    ctx.put_events(of_messages);
    result
}

/// Decodes a transaction and checks its messages without state. A panic in a module's check is a refusal.
pub(crate) fn read(bytes: &[u8]) -> Result<Transaction, TxError> {
    let read = || {
        let tx = Transaction::decode(bytes)?;
        check_messages(&tx.body.messages)?;
        Ok(tx)
    };
    catch_unwind(read).unwrap_or_else(|panic| Err(panicked(panic.as_ref())))
}

/// Runs `f` so that nothing of it stays when it fails, runs out of gas or panics.
fn scope<'a, T>(
    ctx: &mut Context<'a>,
    f: impl FnOnce(&mut Context<'a>) -> Result<T, TxError>,
) -> Result<T, TxError> {
    let mark = ctx.begin();
    let result = catch_unwind(AssertUnwindSafe(|| f(ctx)))
        .unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
    // Running out of gas outweighs whatever the code made of it.
    let result = match ctx.check_gas() {
        Ok(()) => result,
        Err(error) => Err(error.into()),
    };
    match &result {
        Ok(_) => ctx.keep(mark),
        Err(_) => ctx.drop_to(mark),
    }
    result
}

/// Shape and stateless checks of the messages.
fn check_messages(messages: &[Any]) -> Result<(), TxError> {
    if messages.is_empty() {
        let text = "must contain at least one message: invalid request";
        return Err(TxError::sdk(sdk::INVALID_REQUEST, text));
    }
    for message in messages {
        let name = proto::any::type_name(&message.type_url);
        router::check(name, &message.value).unwrap_or_else(|| Err(unhandled(name)))?;
    }
    Ok(())
}

/// The refusal of a message that nobody handles; of a type that nobody knows, the transaction cannot even be read.
fn unhandled(name: &str) -> TxError {
    let known = proto::descriptor_pool().get_message_by_name(name).is_some();
    if !known {
        let text = format!("unable to resolve type URL /{name}: tx parse error: tx parse error");
        return TxError::sdk(sdk::TX_PARSE, text);
    }
    TxError::sdk(
        sdk::UNKNOWN_REQUEST,
        format!("no message handler found for {name}: unknown request"),
    )
}

fn run_messages(ctx: &mut Context, messages: &[Any]) -> Result<TxMsgData, TxError> {
    let mut data = TxMsgData::default();
    let mut events = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let (response, mut of_message) = run_message(ctx, index, message).map_err(|error| {
            error.wrap(format!("failed to execute message; message index: {index}"))
        })?;
        data.msg_responses.push(response);
        events.append(&mut of_message);
    }
    ctx.put_events(events);
    Ok(data)
}

/// One message: its response, and its events after the `message` event that names it.
fn run_message(
    ctx: &mut Context,
    index: usize,
    message: &Any,
) -> Result<(Any, Vec<Event>), TxError> {
    let name = proto::any::type_name(&message.type_url);
    let value =
        router::execute(ctx, name, &message.value).unwrap_or_else(|| Err(unhandled(name)))?;
    let response = Any {
        type_url: format!("/{name}Response"),
        value,
    };
    let signers = router::signers(name, &message.value).unwrap_or_else(|| Ok(Vec::new()))?;
    let handled = ctx.take_events();
    let mut attributes = vec![attribute("action", message.type_url.clone())];
    // The address of the signer, in its one form: a message may tell it in capitals.
    let sender = signers
        .first()
        .map(|text| address::of_signer(ADDRESS_PREFIX, text));
    if let Some(sender) = sender.transpose()? {
        attributes.push(attribute("sender", sender.to_bech32()));
    }
    let names_module = handled.iter().any(|event| {
        event
            .attributes
            .iter()
            .any(|attribute| attribute.key == "module")
    });
    if let Some(module) = name.split('.').nth(1).filter(|_| !names_module) {
        attributes.push(attribute("module", module.to_owned()));
    }
    let mut events = vec![Event {
        r#type: "message".to_owned(),
        attributes,
    }];
    events.extend(handled);
    for event in &mut events {
        event
            .attributes
            .push(attribute("msg_index", index.to_string()));
    }
    Ok((response, events))
}

fn attribute(key: &str, value: String) -> EventAttribute {
    EventAttribute {
        key: key.to_owned(),
        value,
        index: true,
    }
}

/// The answer for a transaction that made the machine panic.
fn panicked(panic: &(dyn Panic + Send)) -> TxError {
    TxError::panic(panic_text(panic))
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Panic + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rules;
    use crate::testing::TestChain;

    fn with_context(limit: Option<u64>, f: impl FnOnce(&mut Context)) {
        let chain = TestChain::new(Rules::reference());
        let mut ctx = Context::for_test(chain.view(), chain.block.clone(), chain.rules);
        ctx.meter(limit);
        f(&mut ctx);
    }

    #[test]
    fn a_panic_costs_the_scope_and_nothing_else() {
        with_context(None, |ctx| {
            ctx.set(b"kept".to_vec(), vec![1]);
            let result: Result<(), _> = scope(ctx, |ctx| {
                ctx.set(b"kept".to_vec(), vec![2]);
                ctx.set(b"lost".to_vec(), vec![2]);
                ctx.emit_raw("lost", &[]);
                let _: Result<(), TxError> = ctx.atomic(|_| panic!("index 7 out of {}", 3));
                Ok(())
            });
            let error = result.unwrap_err();
            assert_eq!(
                (error.codespace.as_ref(), error.code),
                ("undefined", 111_222)
            );
            assert!(error.log.contains("index 7 out of 3"), "{}", error.log);
            assert_eq!(ctx.get(b"kept").unwrap(), Some(vec![1]));
            assert_eq!(ctx.get(b"lost").unwrap(), None);
            assert!(ctx.events().is_empty());
            assert!(scope(ctx, |_| Ok(())).is_ok());
        });
    }

    #[test]
    fn running_out_of_gas_outweighs_what_the_code_made_of_it() {
        with_context(Some(5_000), |ctx| {
            let result = scope(ctx, |ctx| {
                ctx.set(b"key".to_vec(), vec![0; 1_000]);
                let swallowed = ctx.get(b"key").is_err();
                Ok(swallowed)
            });
            let error = result.unwrap_err();
            assert_eq!((error.codespace.as_ref(), error.code), ("sdk", 11));
            let text =
                "out of gas in location: WritePerByte; gasWanted: 5000, gasUsed: 32090: out of gas";
            assert_eq!(error.log, text);
        });
    }

    #[test]
    fn messages_that_nobody_handles_are_refused() {
        let any = Any {
            type_url: "/cosmos.gov.v1.MsgVote".to_owned(),
            value: Vec::new(),
        };
        // A type that is not registered makes a transaction that cannot be read (recording).
        let error = check_messages(&[any]).unwrap_err();
        assert_eq!((error.codespace.as_ref(), error.code), ("sdk", 2));
        assert_eq!(check_messages(&[]).unwrap_err().code, 18);
    }
}
