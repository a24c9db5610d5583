//! Lists: selection, pages, and the resource version they stand for.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::state::{State, Table};
use super::{ApiStatus, KindRef, Object, Store};
use crate::domain::Name;

/// How `resourceVersion` of a list is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VersionMatch {
    /// As new as the server likes.
    #[default]
    Any,
    /// That version or newer.
    NotOlderThan(u64),
    /// That version.
    Exact(u64),
}

/// Which part of which objects is listed. Selection beyond the namespace is the caller's `keep`.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// The kind.
    pub kind: KindRef,
    /// The namespace, `None` for all.
    pub namespace: Option<Name>,
    /// At most so many; 0 for all.
    pub limit: usize,
    /// Where the page before ended.
    pub continue_token: Option<String>,
    /// Which state of the cluster.
    pub version: VersionMatch,
}

impl ListQuery {
    /// Everything of a kind.
    pub fn all(kind: KindRef) -> Self {
        Self {
            kind,
            namespace: None,
            limit: 0,
            continue_token: None,
            version: VersionMatch::Any,
        }
    }
}

/// One page.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The objects.
    pub items: Vec<Arc<Object>>,
    /// The version the whole list stands for.
    pub resource_version: u64,
    /// Where the next page starts, when there is one.
    pub continue_token: Option<String>,
    /// How many follow; not told when a selector is at work.
    pub remaining: usize,
}

/// What a continue token says: the version of the list and the last object sent.
#[derive(Serialize, Deserialize)]
struct Token {
    rv: u64,
    after: (String, String),
}

impl Token {
    fn encode(&self) -> String {
        // A struct of a number and two strings always serialises.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    fn decode(text: &str) -> Result<Self, ApiStatus> {
        let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        serde_json::from_slice(&bytes).map_err(|_| {
            ApiStatus::bad_request("invalid continue token: continue key is not valid: invalid character looking for beginning of value")
        })
    }
}

impl Store {
    /// One page of a list; `keep` selects.
    ///
    /// # Errors
    /// 400 for a broken token, 410 when its version has expired, 504 for a version of the future.
    pub fn list(
        &self,
        query: &ListQuery,
        keep: impl Fn(&Object) -> bool,
    ) -> Result<Listing, ApiStatus> {
        let state = self.0.state.lock();
        let token = query.continue_token.as_deref().map(Token::decode);
        let token = token.transpose()?;
        let (table, version) = table_for(&state, query, token.as_ref())?;
        drop(state);
        Ok(page(&table, version, query, token.map(|t| t.after), keep))
    }
}

fn table_for(
    state: &State,
    query: &ListQuery,
    token: Option<&Token>,
) -> Result<(Table, u64), ApiStatus> {
    let current = || state.table(query.kind).into_owned();
    let exact = match (token, query.version) {
        (Some(token), _) => token.rv,
        (None, VersionMatch::Exact(version)) => version,
        (None, VersionMatch::NotOlderThan(version)) if version > state.version => {
            return Err(ApiStatus::too_large_version(version, state.version));
        }
        _ => return Ok((current(), state.version)),
    };
    if exact > state.version {
        return Err(ApiStatus::too_large_version(exact, state.version));
    }
    match (state.table_at(query.kind, exact), token) {
        (Some(table), _) => Ok((table, exact)),
        (None, Some(token)) => Err(ApiStatus::continue_expired(
            Token {
                rv: state.version,
                after: token.after.clone(),
            }
            .encode(),
        )),
        (None, None) => Err(ApiStatus::too_old(exact, state.history.oldest())),
    }
}

fn page(
    table: &Table,
    version: u64,
    query: &ListQuery,
    after: Option<(String, String)>,
    keep: impl Fn(&Object) -> bool,
) -> Listing {
    let after = after.map(|(ns, name)| (Name::from(ns), Name::from(name)));
    let mut rest = table
        .iter()
        .filter(|(at, _)| after.as_ref().is_none_or(|after| *at > after))
        .filter(|((ns, _), _)| query.namespace.as_ref().is_none_or(|wanted| wanted == ns))
        .map(|(_, object)| object)
        .filter(|object| keep(object));
    let limit = if query.limit == 0 {
        usize::MAX
    } else {
        query.limit
    };
    let items: Vec<Arc<Object>> = rest.by_ref().take(limit).cloned().collect();
    let remaining = rest.count();
    let continue_token = items.last().filter(|_| remaining > 0).map(|last| {
        Token {
            rv: version,
            after: (last.key.namespace.to_string(), last.key.name.to_string()),
        }
        .encode()
    });
    Listing {
        items,
        resource_version: version,
        continue_token,
        remaining,
    }
}
