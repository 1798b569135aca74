using System.Text;

namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>How pickles are refused.</summary>
internal static class PickleRefusals
{
    private const int MaxShown = 100;

    /// <summary>The pickle could do more than hold tensors.</summary>
    /// <param name="opcode">The instruction.</param>
    /// <param name="what">What the pickle does, as a verb.</param>
    /// <param name="offset">Where the instruction stands in the file.</param>
    public static ModelFormatException Unsafe(PickleOpcode opcode, string what, long offset) => new(
        ModelFormatError.UnsafePickle,
        $"The pickle {what} ({PickleOpcodes.NameOf(opcode)} at byte {offset}). That is not on the list of what a checkpoint of tensors needs; nothing was run. "
            + "Save the weights alone: as safetensors, or with torch.save(model.state_dict(), path).",
        offset);

    /// <summary>The pickle breaks its own laws.</summary>
    /// <param name="opcode">The instruction.</param>
    /// <param name="what">What is wrong with it, as a verb.</param>
    /// <param name="offset">Where the instruction stands in the file.</param>
    public static ModelFormatException Invalid(PickleOpcode opcode, string what, long offset) =>
        new(ModelFormatError.InvalidPickle, $"The instruction {PickleOpcodes.NameOf(opcode)} at byte {offset} of the pickle's file {what}.", offset);

    /// <summary>Text of a file as a message may show it: not too long, without control characters.</summary>
    /// <param name="text">Any text.</param>
    public static string Shorten(string text)
    {
        var shown = new StringBuilder(Math.Min(text.Length, MaxShown + 1));
        foreach (char character in text.AsSpan(0, Math.Min(text.Length, MaxShown)))
        {
            shown.Append(char.IsControl(character) || char.IsSurrogate(character) ? '\uFFFD' : character);
        }

        return text.Length > MaxShown ? shown.Append('…').ToString() : shown.ToString();
    }
}
