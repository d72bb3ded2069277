//! Ids of requests that jsonrpsee cannot read: numbers that are negative, fractional or large, and booleans.
//!
//! JSON-RPC wants an answer to have the very id of its request. So a text that nobody can guess takes the place of such an id
//! on the way in, and the id takes its place in the answer.

use crate::ids::random_text;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::ops::Range;

/// The ids that were replaced.
#[derive(Debug)]
pub(crate) struct ForeignIds {
    /// What the texts in their places begin with.
    mark: String,
    ids: Vec<String>,
}

/// The part of a request that counts here.
#[derive(Deserialize)]
struct Identified<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
}

impl ForeignIds {
    /// Replaces the foreign ids of a request, or of those of a batch; `None` if there are none.
    pub(crate) fn replace(body: &[u8]) -> Option<(Self, Vec<u8>)> {
        let text = std::str::from_utf8(body).ok()?;
        let requests: Vec<&RawValue> = match text.trim_start().starts_with('[') {
            true => serde_json::from_str(text).ok()?,
            false => vec![serde_json::from_str(text).ok()?],
        };
        let places: Vec<Range<usize>> =
            requests.into_iter().filter_map(|request| place_of_foreign_id(text, request)).collect();
        if places.is_empty() {
            return None;
        }
        let mut replaced = Self { mark: random_text(), ids: Vec::with_capacity(places.len()) };
        let (mut out, mut copied) = (String::with_capacity(text.len() + 32 * places.len()), 0);
        for place in places {
            out.push_str(text.get(copied..place.start)?);
            out.push_str(&replaced.place_holder(replaced.ids.len()));
            replaced.ids.push(text.get(place.clone())?.to_owned());
            copied = place.end;
        }
        out.push_str(text.get(copied..)?);
        Some((replaced, out.into_bytes()))
    }

    /// Puts the ids into an answer.
    pub(crate) fn put_back(&self, answer: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(answer);
        let begin = format!("\"{}-", self.mark);
        let mut parts = text.split(begin.as_str());
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (number, rest) = part.split_once('"').unwrap_or((part, ""));
            out.push_str(
                number.parse().ok().and_then(|number: usize| self.ids.get(number)).map_or("null", |id| id),
            );
            out.push_str(rest);
        }
        out.into_bytes()
    }

    fn place_holder(&self, number: usize) -> String {
        format!("\"{}-{number}\"", self.mark)
    }
}

/// Where the id is in `text` of a request that is part of it, if it is one that jsonrpsee cannot read.
fn place_of_foreign_id(text: &str, request: &RawValue) -> Option<Range<usize>> {
    let id = serde_json::from_str::<Identified<'_>>(request.get()).ok()?.id?.get();
    let is_number = id.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    let is_foreign = matches!(id, "true" | "false") || (is_number && id.parse::<u64>().is_err());
    // Both are parts of the same text.
    let start = (id.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    is_foreign.then_some(start..start + id.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(id: &str) -> String {
        format!(r#"{{"jsonrpc": "2.0", "id" :{id} ,"method":"a","params":[{{"id":-7}}]}}"#)
    }

    /// What comes back when an answer has the ids that the request has on its way.
    fn round(body: &str) -> Option<(String, String)> {
        let (ids, replaced) = ForeignIds::replace(body.as_bytes())?;
        let back = ids.put_back(&replaced);
        Some((String::from_utf8(replaced).unwrap(), String::from_utf8(back).unwrap()))
    }

    #[test]
    fn what_jsonrpsee_reads_stays() {
        for id in ["0", "18446744073709551615", "null", r#""-1""#, r#""true""#, "[]", "{}", r#""\u00e4""#] {
            assert!(round(&request(id)).is_none(), "{id}");
            assert!(round(&format!("[{}]", request(id))).is_none(), "{id}");
        }
        for body in
            ["", "5", "true", "[]", "[5, true, -1]", "{}", r#"{"id":-1"#, r#"{"id":-1,"id":-2}"#, "\"id\""]
        {
            assert!(round(body).is_none(), "{body}");
        }
        assert!(ForeignIds::replace(b"{\"id\":-1,\"\xff\":1}").is_none());
    }

    #[test]
    fn foreign_ids_come_back_as_they_were() {
        for id in ["-1", "1.5", "-0.0", "1e3", "18446744073709551616", "true", "false"] {
            let body = request(id);
            let (replaced, back) = round(&body).unwrap();
            assert!(!replaced.contains(&format!(":{id} ")), "{replaced}");
            serde_json::from_str::<jsonrpsee::types::Request<'_>>(&replaced).unwrap();
            assert_eq!(back, body);
        }
    }

    #[test]
    fn each_of_a_batch_has_its_own() {
        let batch = format!(" [{}, {}, 5, {} ]", request("-1"), request("7"), request("true"));
        let (replaced, back) = round(&batch).unwrap();
        assert_ne!(replaced, batch);
        assert_eq!(back, batch);
        let (ids, _) = ForeignIds::replace(batch.as_bytes()).unwrap();
        assert_eq!(ids.ids, ["-1", "true"]);
        // In any order, as often as it is there.
        let answer = format!("[{}, {}]", ids.place_holder(1), ids.place_holder(0));
        assert_eq!(ids.put_back(answer.as_bytes()), b"[true, -1]");
    }

    #[test]
    fn nobody_can_guess_the_mark() {
        let (first, second) = (ForeignIds::replace(b"{\"id\":-1}"), ForeignIds::replace(b"{\"id\":-1}"));
        assert_ne!(first.unwrap().0.mark, second.unwrap().0.mark);
    }
}
