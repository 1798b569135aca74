namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>A tensor of a kind that isn't read; refused by name where the checkpoint holds it.</summary>
/// <param name="Kind">What it is, and how to save it instead.</param>
/// <param name="Offset">Where it was made, in the file.</param>
internal sealed record UnreadTensor(string Kind, long Offset);
