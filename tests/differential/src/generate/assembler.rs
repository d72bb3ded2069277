//! Writes code and knows how high the stack is.

use super::values::{self, chance};
use crate::case::Rules;
use alloy_primitives::U256;
use fastrand::Rng;
use parhelion_executor::evm::opcode as op;

/// A place in the code that is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label(usize);

/// A number in the code that depends on a place.
#[derive(Debug)]
struct Fixup {
    at: usize,
    width: usize,
    label: Label,
    /// Is added to the place.
    addend: U256,
}

/// Code in the making.
pub(crate) struct Assembler<'r> {
    /// Decides everything.
    pub(crate) rng: &'r mut Rng,
    /// The fork's opcodes.
    pub(crate) rules: Rules,
    /// How many programs are around this one: init code creates ever smaller ones.
    pub(crate) depth: u8,
    /// How many loops, branches and subroutines are around.
    pub(crate) nesting: u8,
    code: Vec<u8>,
    /// Words on the stack.
    height: usize,
    /// Words that the code in the making must not take or change.
    floor: usize,
    labels: Vec<Option<usize>>,
    fixups: Vec<Fixup>,
    /// Data behind the code.
    data: Vec<(Label, Vec<u8>)>,
    /// Subroutines that are called and not written yet.
    pub(crate) subroutines: Vec<Label>,
}

/// Bytes of code that a program may have before it comes to its end.
const SIZE_MAX: usize = 1_500;

impl<'r> Assembler<'r> {
    pub(crate) fn new(rng: &'r mut Rng, rules: Rules, depth: u8) -> Self {
        Self {
            rng,
            rules,
            depth,
            nesting: 0,
            code: Vec::new(),
            height: 0,
            floor: 0,
            labels: Vec::new(),
            fixups: Vec::new(),
            data: Vec::new(),
            subroutines: Vec::new(),
        }
    }

    /// Whether there is enough code.
    pub(crate) fn is_full(&self) -> bool {
        self.code.len() > SIZE_MAX
    }

    /// Words on the stack that may be taken.
    pub(crate) const fn available(&self) -> usize {
        self.height.saturating_sub(self.floor)
    }

    /// Words on the stack.
    pub(crate) const fn height(&self) -> usize {
        self.height
    }

    /// Writes an opcode. What it takes must be there.
    pub(crate) fn op(&mut self, opcode: u8) {
        let info = op::info(opcode);
        self.code.push(opcode);
        self.height = self.height.saturating_sub(usize::from(info.inputs)) + usize::from(info.outputs);
    }

    /// Writes opcodes.
    pub(crate) fn ops(&mut self, opcodes: &[u8]) {
        for &opcode in opcodes {
            self.op(opcode);
        }
    }

    /// Writes an opcode; what it takes is on the stack, or comes there first.
    pub(crate) fn apply(&mut self, opcode: u8) {
        self.ensure(usize::from(op::info(opcode).inputs));
        self.op(opcode);
    }

    /// Sees to it that `words` may be taken from the stack.
    pub(crate) fn ensure(&mut self, words: usize) {
        // Fresh operands at times even if there are some.
        if chance(self.rng, 40) {
            for _ in 0..words.min(3) {
                self.push_any();
            }
        }
        while self.available() < words {
            self.push_any();
        }
    }

    /// Writes a PUSH of bytes.
    pub(crate) fn push_bytes(&mut self, bytes: &[u8]) {
        self.op(op::PUSH0 + bytes.len() as u8);
        self.code.extend_from_slice(bytes);
    }

    /// Writes a PUSH of a number; at times not the shortest one.
    pub(crate) fn push(&mut self, number: U256) {
        let bytes = number.to_be_bytes::<32>();
        let shortest = 32 - number.leading_zeros() / 8;
        let mut length = shortest;
        if length == 0 && chance(self.rng, 60) {
            length = 1;
        }
        if chance(self.rng, 5) {
            length = self.rng.usize(shortest..=32);
        }
        self.push_bytes(&bytes[32 - length..]);
    }

    /// Writes a PUSH of a small number.
    pub(crate) fn push_small(&mut self, number: u64) {
        self.push(U256::from(number));
    }

    /// Pushes something.
    pub(crate) fn push_any(&mut self) {
        match self.rng.u8(0..20) {
            0..14 => {
                let word = values::word(self.rng);
                self.push(word);
            }
            14 if self.height > 0 => {
                let n = self.rng.usize(0..self.height.min(16));
                self.op(op::DUP1 + n as u8);
            }
            15 => {
                let offset = values::offset(self.rng);
                self.push(offset);
                self.op(op::CALLDATALOAD);
            }
            _ => {
                let opcode = values::one_of(self.rng, super::snippets::VALUES);
                self.op(opcode);
            }
        }
    }

    /// A label without a place.
    pub(crate) fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// A JUMPDEST at which a label is.
    pub(crate) fn destination(&mut self, label: Label) {
        self.labels[label.0] = Some(self.code.len());
        self.op(op::JUMPDEST);
    }

    /// Places a label on the byte that comes `behind` the next one, without a JUMPDEST.
    pub(crate) fn place(&mut self, label: Label, behind: usize) {
        self.labels[label.0] = Some(self.code.len() + behind);
    }

    /// Pushes a label's place plus `addend`.
    pub(crate) fn push_label(&mut self, label: Label, width: usize, addend: U256) {
        self.op(op::PUSH0 + width as u8);
        self.fixups.push(Fixup { at: self.code.len(), width, label, addend });
        self.code.resize(self.code.len() + width, 0);
    }

    /// Puts bytes behind the code.
    pub(crate) fn data(&mut self, bytes: Vec<u8>) -> Label {
        let label = self.label();
        self.data.push((label, bytes));
        label
    }

    /// Writes raw bytes of which the assembler knows nothing.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.code.extend_from_slice(bytes);
    }

    /// Writes code that leaves the stack as it was, and takes nothing of what is there.
    pub(crate) fn neutral(&mut self, write: impl FnOnce(&mut Self)) {
        let (height, floor) = (self.height, self.floor);
        self.floor = height;
        self.nesting += 1;
        write(self);
        self.nesting -= 1;
        while self.height > height {
            self.op(op::POP);
        }
        (self.height, self.floor) = (height, floor);
    }

    /// Goes on where the stack has `height` words.
    pub(crate) const fn set_height(&mut self, height: usize) {
        self.height = height;
    }

    /// The code, with its data and all labels in place.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        for (label, bytes) in std::mem::take(&mut self.data) {
            self.labels[label.0] = Some(self.code.len());
            self.code.extend(bytes);
        }
        for Fixup { at, width, label, addend } in &self.fixups {
            let place = self.labels[label.0].unwrap_or_default();
            let bytes = U256::from(place).wrapping_add(*addend).to_be_bytes::<32>();
            self.code[*at..at + width].copy_from_slice(&bytes[32 - width..]);
        }
        self.code
    }
}
