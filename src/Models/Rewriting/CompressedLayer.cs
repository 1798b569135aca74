using Condense.Engine.Structures;
using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Models.Rewriting;

/// <summary>A layer and the structure that takes its place.</summary>
/// <param name="Layer">The layer, as <see cref="LayerFinder"/> found it.</param>
/// <param name="Form">The structure's shape, out×in.</param>
/// <param name="Data">
/// The bytes of the structure's tensor of a suffix of <see cref="StructureTensors.Slots"/>, in the structure's own orientation; opened when the file is
/// written, so that one layer at a time is in memory. Null: only the size is wanted, zeros stand for the numbers.
/// </param>
/// <param name="Method">The method's name, for the file's metadata.</param>
public sealed record CompressedLayer(Layer Layer, StructureForm Form, Func<string, TensorData>? Data, string Method);
