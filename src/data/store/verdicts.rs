//! A reason for each of a million candidates, packed: see `v4.sql` for the form.

use crate::domain::CandidateId;

/// So many candidates share a row.
const ROW: usize = 4096;

/// What became of a candidate in a selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The candidate.
    pub candidate: CandidateId,
    /// Why, as a number that whoever made the selection knows.
    pub code: u8,
    /// Another candidate that the reason is about: the one that this is a near duplicate of.
    pub other: Option<CandidateId>,
}

/// Verdicts in rows: the first candidate of each, and what it holds. They come in order of their candidates.
pub(super) fn packed(verdicts: &[Verdict]) -> Vec<(i64, Vec<u8>)> {
    let pack = |row: &[Verdict]| {
        let first = row.first().map_or(0, |v| v.candidate.0);
        let (mut bytes, mut last) = (Vec::with_capacity(3 * row.len()), first);
        for verdict in row {
            push(&mut bytes, verdict.candidate.0.wrapping_sub(last));
            last = verdict.candidate.0;
            bytes.push(verdict.code);
            push(&mut bytes, verdict.other.map_or(0, |other| other.0));
        }
        (first, bytes)
    };
    verdicts.chunks(ROW).map(pack).collect()
}

/// The verdicts of a row; those before the place where it is torn.
pub(super) fn unpacked(first: i64, bytes: &[u8]) -> Vec<Verdict> {
    let (mut rest, mut last, mut out) = (bytes, first, Vec::new());
    while let Some(verdict) = pull(&mut rest, last) {
        last = verdict.candidate.0;
        out.push(verdict);
    }
    out
}

fn pull(rest: &mut &[u8], last: i64) -> Option<Verdict> {
    let candidate = CandidateId(last.wrapping_add(number(rest)?));
    let (code, after) = rest.split_first()?;
    *rest = after;
    let other = number(rest)?;
    Some(Verdict {
        candidate,
        code: *code,
        other: (other != 0).then_some(CandidateId(other)),
    })
}

/// Seven bits a byte, lowest first, the eighth where more follow.
fn push(bytes: &mut Vec<u8>, number: i64) {
    let mut left = number.cast_unsigned();
    while left >= 0x80 {
        bytes.push((left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    bytes.push(left as u8);
}

fn number(rest: &mut &[u8]) -> Option<i64> {
    let (mut value, mut shift) = (0_u64, 0_u32);
    loop {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value.cast_signed());
        }
        shift += 7;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_come_back_as_they_were_and_take_three_bytes_each() {
        let verdicts: Vec<Verdict> = (0..10_000_i64)
            .map(|n| Verdict {
                candidate: CandidateId(7 + n * (1 + n % 3)),
                code: (n % 5) as u8,
                other: (n % 100 == 0).then_some(CandidateId(i64::MAX - n)),
            })
            .collect();
        let mut sorted = verdicts;
        sorted.sort_by_key(|v| v.candidate.0);
        let rows = packed(&sorted);
        assert_eq!(rows.len(), 3);
        let bytes: usize = rows.iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(bytes < 4 * sorted.len(), "{bytes}");
        let back: Vec<Verdict> = rows
            .iter()
            .flat_map(|(first, bytes)| unpacked(*first, bytes))
            .collect();
        assert_eq!(back, sorted);
        let (first, bytes) = &rows[0];
        assert!(unpacked(*first, &bytes[..bytes.len() - 1]).len() < ROW);
    }
}
