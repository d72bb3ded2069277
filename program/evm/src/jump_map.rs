//! Which code bytes are jump destinations (Yellow Paper, section 9.4.3).

use crate::opcode;

/// The map's length for a code of `code_length` bytes.
#[must_use]
pub const fn length(code_length: usize) -> usize {
    code_length.div_ceil(8)
}

/// Sets bit `i` of `map` for every code byte `i` that is a JUMPDEST and no immediate. `map` is zeroed and of
/// [`length`]; bytes that do not fit are left out. About 8 CU a code byte.
pub fn fill(map: &mut [u8], code: &[u8]) {
    extend(map, code, 0, code.len());
}

/// As [`fill`], from the opcode at `position` to the code byte `last`. Gives the position of the opcode behind.
pub(crate) fn extend(map: &mut [u8], code: &[u8], mut position: usize, last: usize) -> usize {
    while position <= last
        && let Some(&byte) = code.get(position)
    {
        if byte == opcode::JUMPDEST {
            if let Some(bits) = map.get_mut(position / 8) {
                *bits |= 1 << (position % 8);
            }
        } else if (opcode::PUSH1..=opcode::PUSH32).contains(&byte) {
            position += usize::from(byte - opcode::PUSH0);
        }
        position += 1;
    }
    position
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn immediates_are_no_destinations() {
        let code = [0x60, 0x5b, 0x5b, 0x7f, 0x5b];
        let mut map = [0; 1];
        fill(&mut map, &code);
        assert_eq!(map, [0b100]);
    }

    #[test]
    fn a_map_grows_opcode_by_opcode() {
        let code = [0x60, 0x5b, 0x5b, 0x61, 0x5b, 0x5b, 0x5b, 0x5b];
        let mut map = [0; 1];
        assert_eq!(extend(&mut map, &code, 0, 1), 2);
        assert_eq!(map, [0]);
        assert_eq!(extend(&mut map, &code, 2, 4), 6);
        assert_eq!(map, [0b100]);
        assert_eq!(extend(&mut map, &code, 6, 100), 8);
        assert_eq!(map, [0b1100_0100]);
    }
}
