using Condense.Engine.Structures;

namespace Condense.Pipeline.Stages;

/// <summary>A compressed layer in the store.</summary>
/// <param name="Key">The piece that holds the structure's tensors by suffix.</param>
/// <param name="Form">The shape that the structure has.</param>
/// <param name="Reused">Whether an earlier run had made it.</param>
internal sealed record CompressedPiece(string Key, StructureForm Form, bool Reused);
