using System.Collections.Immutable;

namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>Reads the arguments of PyTorch's functions that put tensors together again (<c>torch/_utils.py</c>).</summary>
/// <param name="budget">What is left to take.</param>
/// <param name="offset">Where the call stands in the file.</param>
internal readonly struct TensorArguments(PickleBudget budget, long offset)
{
    // As many dimensions as PyTorch allows.
    private const int MaxRank = 64;

    // PyTorch writes "conj" and "neg". One row of arguments can serve many calls, so none may take long to look at.
    private const int MaxMetadata = 16;

    /// <summary>The tensor that a call gives.</summary>
    /// <param name="function">The function.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <returns>A <see cref="PickledTensor"/>, or an <see cref="UnreadTensor"/> for kinds that aren't read.</returns>
    /// <exception cref="ModelFormatException">The arguments are not the function's.</exception>
    public object Rebuild(PickleGlobal function, List<object?> arguments) => function.Meaning switch
    {
        GlobalMeaning.RebuildTensor => RebuildTensor(function, arguments),
        GlobalMeaning.RebuildParameter => arguments is [PickledTensor or UnreadTensor, _, _] or [PickledTensor or UnreadTensor, _, _, _]
            ? arguments[0]!
            : throw Wrong(function),
        GlobalMeaning.RebuildFromType => RebuildFromType(function, arguments),
        _ => new UnreadTensor(Describe(function.Name), offset),
    };

    // _rebuild_tensor(storage, storage_offset, size, stride); v2 adds requires_grad, backward_hooks and, since 2.1, metadata;
    // v3 the type of elements before the metadata.
    private object RebuildTensor(PickleGlobal function, List<object?> arguments)
    {
        bool isThird = function.Name.EndsWith("v3", StringComparison.Ordinal);
        int required = isThird ? 7 : function.Name.EndsWith("v2", StringComparison.Ordinal) ? 6 : 4;
        if (arguments.Count < required
            || arguments.Count > required + (required == 4 ? 0 : 1)
            || arguments is not [StorageView storage, long first, PickleSequence sizes, PickleSequence strides, ..]
            || (isThird && arguments[6] is not PickleGlobal { Meaning: GlobalMeaning.ElementType }))
        {
            throw Wrong(function);
        }

        if (arguments.Count > required && arguments[required] is PickleDictionary metadata && IsConjugateOrNegative(function, metadata))
        {
            return new UnreadTensor("a conjugate or negative view, whose values aren't the stored ones; save it after .resolve_conj().resolve_neg()", offset);
        }

        var type = isThird ? ((PickleGlobal)arguments[6]!).Type! : storage.Type;
        if (type.Name.StartsWith('q'))
        {
            return new UnreadTensor(Describe("_rebuild_qtensor"), offset);
        }

        var tensor = new PickledTensor(storage, type, first, ToLongs(function, sizes), ToLongs(function, strides), offset);
        return tensor.Sizes.Length == tensor.Strides.Length ? tensor : throw Wrong(function);
    }

    private object RebuildFromType(PickleGlobal function, List<object?> arguments)
    {
        if (arguments is not [PickleGlobal { Meaning: not GlobalMeaning.RebuildFromType } inner, PickleGlobal { Meaning: GlobalMeaning.Constant }, PickleSequence { Kind: SequenceKind.Tuple } row, _]
            || inner.Meaning is not (GlobalMeaning.RebuildTensor or GlobalMeaning.RebuildParameter or GlobalMeaning.RebuildOther))
        {
            throw Wrong(function);
        }

        return Rebuild(inner, row.Items);
    }

    private ImmutableArray<long> ToLongs(PickleGlobal function, PickleSequence values)
    {
        if (values.Items.Count > MaxRank)
        {
            throw Wrong(function);
        }

        budget.Keep(sizeof(long) * values.Items.Count, offset);
        var longs = ImmutableArray.CreateBuilder<long>(values.Items.Count);
        foreach (object? value in values.Items)
        {
            longs.Add(value is long number ? number : throw Wrong(function));
        }

        return longs.MoveToImmutable();
    }

    private bool IsConjugateOrNegative(PickleGlobal function, PickleDictionary metadata)
    {
        var entries = metadata.Entries;
        if (entries.Count > 2 * MaxMetadata)
        {
            throw PickleRefusals.Invalid(
                PickleOpcode.Reduce,
                $"calls {function} with {entries.Count / 2} entries of metadata, where at most {MaxMetadata} are read and PyTorch writes two; save the weights anew with torch.save(model.state_dict(), path)",
                offset);
        }

        for (int i = 0; i < entries.Count; i += 2)
        {
            if (entries[i] is "conj" or "neg" && entries[i + 1] is not (null or false))
            {
                return true;
            }
        }

        return false;
    }

    private static string Describe(string function) => function switch
    {
        "_rebuild_qtensor" => "a quantized tensor; save it after .dequantize(), or its .int_repr() with scale and zero point",
        "_rebuild_meta_tensor_no_storage" => "a tensor without data, of the meta device; load the model's weights before saving it",
        "_rebuild_nested_tensor" => "a nested tensor; save its parts",
        _ => "a sparse tensor; save it after .to_dense()",
    };

    private ModelFormatException Wrong(PickleGlobal function) =>
        PickleRefusals.Invalid(PickleOpcode.Reduce, $"calls {function} with other arguments than it has", offset);
}
