using Condense.Models.Formats.PyTorch.Pickle;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.PyTorch;

/// <summary>Tells pickles from other files. Only protocols from 2 on begin with a sign; older ones are known by being read.</summary>
internal static class PickleDetection
{
    /// <summary>Whether a file is a pickle, harmless or not.</summary>
    /// <param name="start">The file's first bytes.</param>
    /// <param name="fileLength">The file's length.</param>
    public static bool LooksLikePickle(ReadOnlySpan<byte> start, long fileLength)
    {
        if (start is [(byte)PickleOpcode.Proto, >= 2 and <= PickleOpcodes.HighestProtocol, ..])
        {
            return true;
        }

        // Most files fail at their first bytes.
        if (start.IsEmpty || PickleOpcodes.NameOf((PickleOpcode)start[0]) is null)
        {
            return false;
        }

        var source = new PickleSource(new MemoryTensorData(start.ToArray()), fileOffset: 0, new PickleBudget(ReadLimits.Default, start.Length));
        var machine = new PickleMachine(source, new PickleTrace(), new StorageTable());
        try
        {
            machine.Run();
            return source.Position == fileLength;
        }
        catch (ModelFormatException refusal)
        {
            // A name that isn't harmless is a name all the same; other instructions that are refused may be bytes of anything.
            return refusal.Code == ModelFormatError.UnsafePickle
                ? machine.Opcode is PickleOpcode.Global or PickleOpcode.StackGlobal or PickleOpcode.Inst or PickleOpcode.Reduce
                : refusal.Code == ModelFormatError.Truncated && start.Length < fileLength;
        }
    }
}
