using System.Collections.Immutable;
using Condense.Engine.Structures;
using Condense.Models.Tensors;

namespace Condense.Models.Rewriting;

/// <summary>Structures as named tensors, and back.</summary>
public static class StructureTensors
{
    /// <summary>The tensors of a structure, in the order in which they are written. Their bits are the form's <see cref="StructureForm.StorageBits"/>.</summary>
    /// <param name="form">The structure's shape.</param>
    public static ImmutableArray<TensorSlot> Slots(StructureForm form) => throw new NotSupportedException();

    /// <summary>The tensors of a structure with their bytes, named <c>name + suffix</c>.</summary>
    /// <param name="structure">The structure.</param>
    /// <param name="name">The layer's name.</param>
    public static ImmutableArray<Tensor> Write(StructuredMatrix structure, string name) => throw new NotSupportedException();

    /// <summary>Puts a structure together again.</summary>
    /// <param name="form">Its shape.</param>
    /// <param name="data">The bytes of each suffix.</param>
    /// <exception cref="ModelFormatException">A tensor has another length than the form says.</exception>
    public static StructuredMatrix Read(StructureForm form, Func<string, TensorData> data) => throw new NotSupportedException();
}
