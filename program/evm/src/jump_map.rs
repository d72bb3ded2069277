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
    let mut position = 0;
    while let Some(&byte) = code.get(position) {
        if byte == opcode::JUMPDEST {
            if let Some(bits) = map.get_mut(position / 8) {
                *bits |= 1 << (position % 8);
            }
        } else if (opcode::PUSH1..=opcode::PUSH32).contains(&byte) {
            position += usize::from(byte - opcode::PUSH0);
        }
        position += 1;
    }
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
}
