namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>What is told about instructions.</summary>
internal static class PickleOpcodes
{
    /// <summary>The newest protocol.</summary>
    public const int HighestProtocol = 5;

    private static readonly string?[] s_names = Names();

    /// <summary>The instruction's name as <c>pickletools</c> prints it; null when a byte is no instruction.</summary>
    /// <param name="opcode">Any byte.</param>
    public static string? NameOf(PickleOpcode opcode) => s_names[(byte)opcode];

    private static string?[] Names()
    {
        string?[] names = new string?[256];
        foreach (var opcode in Enum.GetValues<PickleOpcode>())
        {
            names[(byte)opcode] = opcode switch
            {
                PickleOpcode.PopMark => "POP_MARK",
                PickleOpcode.EmptyDict => "EMPTY_DICT",
                PickleOpcode.EmptyList => "EMPTY_LIST",
                PickleOpcode.EmptyTuple => "EMPTY_TUPLE",
                PickleOpcode.EmptySet => "EMPTY_SET",
                PickleOpcode.LongBinGet => "LONG_BINGET",
                PickleOpcode.LongBinPut => "LONG_BINPUT",
                PickleOpcode.ShortBinString => "SHORT_BINSTRING",
                PickleOpcode.ShortBinBytes => "SHORT_BINBYTES",
                PickleOpcode.ShortBinUnicode => "SHORT_BINUNICODE",
                PickleOpcode.StackGlobal => "STACK_GLOBAL",
                PickleOpcode.NewObjEx => "NEWOBJ_EX",
                PickleOpcode.NextBuffer => "NEXT_BUFFER",
                PickleOpcode.ReadOnlyBuffer => "READONLY_BUFFER",
                _ => opcode.ToString().ToUpperInvariant(),
            };
        }

        return names;
    }
}
