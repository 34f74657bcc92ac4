//! Queries of accounts.

use crypto::keys::{ADDRESS_PREFIX, Address, bech32_text};
use prost::Message;
use prost_types::Any;
use proto::cosmos::auth::v1beta1::{
    AddressBytesToStringRequest, AddressBytesToStringResponse, AddressStringToBytesRequest,
    AddressStringToBytesResponse, BaseAccount, Bech32PrefixResponse,
    QueryAccountAddressByIdRequest, QueryAccountAddressByIdResponse, QueryAccountInfoRequest,
    QueryAccountInfoResponse, QueryAccountRequest, QueryAccountResponse, QueryAccountsRequest,
    QueryAccountsResponse, QueryModuleAccountByNameRequest, QueryModuleAccountByNameResponse,
    QueryModuleAccountsResponse, QueryParamsResponse,
};

use crate::auth::{self, Account, MODULES, ModulePermissions, keys};
use crate::context::Context;
use crate::error::{ChainError, QueryError};
use crate::modules::shared::address;
use crate::pagination::{paginate_collection, plain};
use crate::router::decode_request;

/// Answers a method of `cosmos.auth.v1beta1.Query`. `None` for methods it does not have.
pub fn query(ctx: &Context, method: &str, data: &[u8]) -> Option<Result<Vec<u8>, QueryError>> {
    Some(match method {
        "Account" => account(ctx, data),
        "AccountInfo" => account_info(ctx, data),
        "Accounts" => accounts(ctx, data),
        "AccountAddressByID" => address_by_number(ctx, data),
        "Params" => params(ctx),
        "ModuleAccounts" => module_accounts(ctx),
        "ModuleAccountByName" => module_account_by_name(ctx, data),
        "Bech32Prefix" => bech32_prefix(),
        "AddressBytesToString" => bytes_to_string(data),
        "AddressStringToBytes" => string_to_bytes(data),
        _ => return None,
    })
}

fn account(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryAccountRequest = decode_request(data)?;
    if request.address.is_empty() {
        return Err(QueryError::invalid_argument("Address cannot be empty"));
    }
    let account = find(ctx, &request.address)?;
    Ok(QueryAccountResponse {
        account: Some(account.to_any()),
    }
    .encode_to_vec())
}

fn account_info(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryAccountInfoRequest = decode_request(data)?;
    if request.address.is_empty() {
        return Err(QueryError::invalid_argument("address cannot be empty"));
    }
    let account = find(ctx, &request.address)?;
    Ok(QueryAccountInfoResponse {
        info: account.base().cloned(),
    }
    .encode_to_vec())
}

fn find(ctx: &Context, text: &str) -> Result<Account, QueryError> {
    let address = address::parse(text).map_err(QueryError::unknown)?;
    auth::account(ctx, &address)?
        .ok_or_else(|| QueryError::not_found(format!("account {text} not found")))
}

fn accounts(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryAccountsRequest = decode_request(data)?;
    let (accounts, pagination) = paginate_collection(
        ctx,
        keys::ACCOUNTS,
        request.pagination.as_ref(),
        |_, value| {
            Any::decode(value)
                .map(Some)
                .map_err(|error| QueryError::internal(error.to_string()))
        },
    )
    .map_err(plain)?;
    Ok(QueryAccountsResponse {
        accounts,
        pagination: Some(pagination),
    }
    .encode_to_vec())
}

fn address_by_number(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryAccountAddressByIdRequest = decode_request(data)?;
    if request.id != 0 {
        return Err(QueryError::invalid_argument(
            "requesting with id isn't supported, try to request using account-id",
        ));
    }
    let number = request.account_id;
    let bytes = ctx.get(&keys::number(number))?.ok_or_else(|| {
        QueryError::not_found(format!(
            "account address not found with account number {number}"
        ))
    })?;
    let bytes = bytes
        .try_into()
        .map_err(|_| ChainError::corrupt("auth", "an address has 20 bytes"))?;
    let account_address = Address(bytes).to_bech32();
    Ok(QueryAccountAddressByIdResponse { account_address }.encode_to_vec())
}

fn params(ctx: &Context) -> Result<Vec<u8>, QueryError> {
    Ok(QueryParamsResponse {
        params: auth::params(ctx)?,
    }
    .encode_to_vec())
}

/// All modules by name; those that have no account yet are shown with the numbers they would get.
fn module_accounts(ctx: &Context) -> Result<Vec<u8>, QueryError> {
    let mut next = match ctx.get(keys::NEXT_NUMBER)? {
        None => 0,
        Some(bytes) => keys::read_u64(&bytes)?,
    };
    let mut accounts = Vec::new();
    for module in MODULES {
        accounts.push(module_account(ctx, module, &mut next)?.to_any());
    }
    Ok(QueryModuleAccountsResponse { accounts }.encode_to_vec())
}

fn module_account_by_name(ctx: &Context, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: QueryModuleAccountByNameRequest = decode_request(data)?;
    if request.name.is_empty() {
        return Err(QueryError::invalid_argument("module name is empty"));
    }
    let module = MODULES
        .iter()
        .find(|module| module.name == request.name)
        .ok_or_else(|| QueryError::not_found(format!("account {} not found", request.name)))?;
    let mut next = match ctx.get(keys::NEXT_NUMBER)? {
        None => 0,
        Some(bytes) => keys::read_u64(&bytes)?,
    };
    let account = module_account(ctx, module, &mut next)?;
    Ok(QueryModuleAccountByNameResponse {
        account: Some(account.to_any()),
    }
    .encode_to_vec())
}

fn module_account(
    ctx: &Context,
    module: &ModulePermissions,
    next: &mut u64,
) -> Result<Account, QueryError> {
    let address = Address::module(module.name);
    if let Some(account) = auth::account(ctx, &address)? {
        return Ok(account);
    }
    let account_number = *next;
    *next = next.saturating_add(1);
    let base = BaseAccount {
        address: address.to_bech32(),
        account_number,
        ..Default::default()
    };
    Ok(Account::Module(module.account(base)))
}

fn bech32_prefix() -> Result<Vec<u8>, QueryError> {
    Ok(Bech32PrefixResponse {
        bech32_prefix: ADDRESS_PREFIX.to_owned(),
    }
    .encode_to_vec())
}

fn bytes_to_string(data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: AddressBytesToStringRequest = decode_request(data)?;
    if request.address_bytes.is_empty() {
        return Err(QueryError::unknown("empty address bytes is not allowed"));
    }
    let address_string = bech32_text(ADDRESS_PREFIX, &request.address_bytes)
        .ok_or_else(|| QueryError::unknown("the bytes are too many for an address"))?;
    Ok(AddressBytesToStringResponse { address_string }.encode_to_vec())
}

fn string_to_bytes(data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let request: AddressStringToBytesRequest = decode_request(data)?;
    let address = address::parse(&request.address_string).map_err(QueryError::unknown)?;
    let address_bytes = address.as_bytes().to_vec().into();
    Ok(AddressStringToBytesResponse { address_bytes }.encode_to_vec())
}
