//! How a frame ends, in bands: success, revert, exceptional halt.

/// Why a frame ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    // Success: state changes stay, unused gas goes back.
    /// STOP, or the end of the code.
    Stop = 0,
    /// RETURN.
    Return = 1,
    /// SELFDESTRUCT.
    SelfDestruct = 2,

    // Revert: state changes are undone, unused gas goes back.
    /// REVERT.
    Revert = 16,

    // Exceptional halts (Yellow Paper, Z): state changes are undone, all gas is gone.
    /// Gas ran out.
    OutOfGas = 32,
    /// An operation found too few stack items.
    StackUnderflow = 33,
    /// More than 1024 stack items.
    StackOverflow = 34,
    /// A jump to somewhere that is no JUMPDEST.
    InvalidJump = 35,
    /// A byte that is no opcode, or INVALID.
    InvalidOpcode = 36,
    /// A state change inside of STATICCALL (EIP-214).
    StaticViolation = 37,
    /// RETURNDATACOPY beyond the return data (EIP-211).
    ReturnDataOutOfBounds = 38,
    /// Init code longer than EIP-3860 allows.
    InitCodeTooLarge = 39,
    /// Deployed code longer than EIP-170 allows.
    CodeTooLarge = 40,
    /// Deployed code that begins with 0xEF (EIP-3541).
    InvalidCodePrefix = 41,
    /// An address that has code or a nonce already (EIP-684, EIP-7610).
    CreateCollision = 42,
    /// A precompile that rejects its input.
    PrecompileFailure = 43,
}

impl Exit {
    /// Every way to end, in the order of the numbers.
    pub const ALL: [Self; 16] = [
        Self::Stop,
        Self::Return,
        Self::SelfDestruct,
        Self::Revert,
        Self::OutOfGas,
        Self::StackUnderflow,
        Self::StackOverflow,
        Self::InvalidJump,
        Self::InvalidOpcode,
        Self::StaticViolation,
        Self::ReturnDataOutOfBounds,
        Self::InitCodeTooLarge,
        Self::CodeTooLarge,
        Self::InvalidCodePrefix,
        Self::CreateCollision,
        Self::PrecompileFailure,
    ];

    /// The way to end with this number, if there is one.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|exit| *exit as u8 == number)
    }

    /// Whether state changes stay.
    #[must_use]
    pub const fn is_success(self) -> bool {
        (self as u8) < 16
    }

    /// Whether the frame reverted of its own accord.
    #[must_use]
    pub const fn is_revert(self) -> bool {
        matches!(self, Self::Revert)
    }

    /// What happened, in the words that Ethereum nodes use.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Stop | Self::Return | Self::SelfDestruct => "success",
            Self::Revert => "execution reverted",
            Self::OutOfGas => "out of gas",
            Self::StackUnderflow => "stack underflow",
            Self::StackOverflow => "stack limit reached 1024",
            Self::InvalidJump => "invalid jump destination",
            Self::InvalidOpcode => "invalid opcode",
            Self::StaticViolation => "write protection",
            Self::ReturnDataOutOfBounds => "return data out of bounds",
            Self::InitCodeTooLarge => "max initcode size exceeded",
            Self::CodeTooLarge => "max code size exceeded",
            Self::InvalidCodePrefix => "invalid code: must not begin with 0xef",
            Self::CreateCollision => "contract address collision",
            Self::PrecompileFailure => "precompile failed",
        }
    }

    /// Whether all gas of the frame is gone.
    #[must_use]
    pub const fn is_halt(self) -> bool {
        (self as u8) >= 32
    }
}
