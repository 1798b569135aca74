using System.Collections.Immutable;

namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>Notes which instructions and names a pickle used, how often, and where first.</summary>
internal sealed class PickleTrace
{
    private readonly long[] _counts = new long[256];
    private readonly long[] _firsts = new long[256];
    private readonly Dictionary<PickleGlobal, (long Count, long First)> _globals = [];
    private int _protocol;

    /// <summary>Notes an instruction.</summary>
    /// <param name="opcode">The instruction.</param>
    /// <param name="offset">Where it stands in the file.</param>
    public void Note(PickleOpcode opcode, long offset)
    {
        if (_counts[(byte)opcode]++ == 0)
        {
            _firsts[(byte)opcode] = offset;
        }
    }

    /// <summary>Notes a name.</summary>
    /// <param name="global">The name.</param>
    /// <param name="offset">Where it stands in the file.</param>
    public void Note(PickleGlobal global, long offset) =>
        _globals[global] = _globals.TryGetValue(global, out var seen) ? (seen.Count + 1, seen.First) : (1, offset);

    /// <summary>Notes the protocol.</summary>
    /// <param name="protocol">0 … 5.</param>
    public void NoteProtocol(int protocol) => _protocol = Math.Max(_protocol, protocol);

    /// <summary>What there is to say: one finding for the instructions, one for each name in the order of the file.</summary>
    public ImmutableArray<ModelFinding> ToFindings()
    {
        var opcodes = Enum.GetValues<PickleOpcode>().Where(opcode => _counts[(byte)opcode] > 0).OrderBy(opcode => _firsts[(byte)opcode]).ToList();
        string list = string.Join(", ", opcodes.Select(opcode => $"{PickleOpcodes.NameOf(opcode)} {_counts[(byte)opcode]}× from byte {_firsts[(byte)opcode]}"));
        return
        [
            new("pickle", $"A pickle of protocol {_protocol} with {_counts.Sum()} instructions, all harmless: {list}.", Offset: _firsts[(byte)opcodes[0]]),
            .. _globals.OrderBy(pair => pair.Value.First).Select(pair => new ModelFinding(
                "pickle_global", $"The pickle names {pair.Key} {pair.Value.Count}×, first at byte {pair.Value.First}; it is on the list of harmless names.", Offset: pair.Value.First)),
        ];
    }
}
