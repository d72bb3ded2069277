//! What is to be written where: pure functions.

/// A piece of the program file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where it begins in the file.
    pub offset: usize,
    /// Its bytes.
    pub length: usize,
}

/// The pieces of `file`, of at most `piece_bytes` each, that the buffer does not hold yet.
#[must_use]
pub fn differences(buffer: &[u8], file: &[u8], piece_bytes: usize) -> Vec<Piece> {
    let piece_bytes = piece_bytes.max(1);
    let pieces = file.chunks(piece_bytes).enumerate();
    let pieces = pieces.map(|(index, bytes)| (index * piece_bytes, bytes));
    let missing = pieces.filter(|(offset, bytes)| buffer.get(*offset..offset + bytes.len()) != Some(bytes));
    missing.map(|(offset, bytes)| Piece { offset, length: bytes.len() }).collect()
}

/// The first byte at which what is on chain differs from the file; zeros behind the file do not count, room for larger
/// versions is filled with them.
#[must_use]
pub fn first_difference(on_chain: &[u8], file: &[u8]) -> Option<usize> {
    let common = on_chain.len().min(file.len());
    let within = on_chain.iter().zip(file).position(|(one, other)| one != other);
    within.or_else(|| {
        // The longer of the two goes on; beyond the file only zeros may follow, and the file may not be cut off.
        if file.len() > common {
            return Some(common);
        }
        on_chain.get(common..)?.iter().position(|byte| *byte != 0).map(|position| common + position)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pieces_that_differ_are_written() {
        let file: Vec<u8> = (1..=10).collect();
        let piece = |offset, length| Piece { offset, length };
        assert_eq!(differences(&[0; 10], &file, 4), [piece(0, 4), piece(4, 4), piece(8, 2)]);
        assert_eq!(differences(&file, &file, 4), []);
        let mut buffer = file.clone();
        buffer[5] = 0;
        assert_eq!(differences(&buffer, &file, 4), [piece(4, 4)]);
        assert_eq!(differences(&[0; 8], &[0; 8], 4), [], "a new buffer holds zeros");
        assert_eq!(
            differences(&file[..9], &file, 4),
            [piece(8, 2)],
            "a buffer that is too short is not read beyond"
        );
        assert_eq!(differences(&[], &[], 4), []);
    }

    #[test]
    fn zeros_behind_the_file_are_no_difference() {
        assert_eq!(first_difference(&[1, 2, 0, 0], &[1, 2]), None);
        assert_eq!(first_difference(&[1, 2], &[1, 2]), None);
        assert_eq!(first_difference(&[1, 2, 0, 5], &[1, 2]), Some(3));
        assert_eq!(first_difference(&[1, 3, 0], &[1, 2]), Some(1));
        assert_eq!(first_difference(&[1], &[1, 0]), Some(1), "the end of the file is missing, zeros or not");
        assert_eq!(first_difference(&[], &[]), None);
    }
}
