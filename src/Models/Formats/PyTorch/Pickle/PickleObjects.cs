using Condense.Models.Tensors;

namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>What stands here for Python's calls: one constructor for each harmless name. None copies its arguments.</summary>
/// <param name="budget">What is left to take.</param>
internal sealed class PickleObjects(PickleBudget budget)
{
    /// <summary>REDUCE: what a function or class would give for its arguments.</summary>
    /// <param name="callee">What is called.</param>
    /// <param name="arguments">The arguments.</param>
    /// <param name="offset">Where the instruction stands.</param>
    /// <exception cref="ModelFormatException">What is called is not a harmless name, or has other arguments than it can have.</exception>
    public object? Call(object? callee, object? arguments, long offset)
    {
        if (callee is not PickleGlobal global)
        {
            throw PickleRefusals.Unsafe(PickleOpcode.Reduce, "calls a value that is no harmless name", offset);
        }

        if (arguments is not PickleSequence { Kind: SequenceKind.Tuple, Items: var items })
        {
            throw PickleRefusals.Invalid(PickleOpcode.Reduce, $"calls {global} with what is no tuple of arguments", offset);
        }

        budget.Keep(PickleBudget.ContainerBytes, offset);
        return global.Meaning switch
        {
            GlobalMeaning.RebuildTensor or GlobalMeaning.RebuildParameter or GlobalMeaning.RebuildFromType or GlobalMeaning.RebuildOther =>
                new TensorArguments(budget, offset).Rebuild(global, items),
            GlobalMeaning.OrderedDictionary => Collection(global, items, offset),
            GlobalMeaning.DefaultDictionary when items is [] or [null or PickleGlobal { Meaning: GlobalMeaning.BuiltinScalar or GlobalMeaning.BuiltinSequence or GlobalMeaning.OrderedDictionary }] =>
                new PickleDictionary(DictionaryKind.Collection),
            GlobalMeaning.Namespace when items is [] => new PickleDictionary(DictionaryKind.Namespace),
            GlobalMeaning.BuiltinSequence when items is [] => new PickleSequence(SequenceKind.List, []),
            GlobalMeaning.BuiltinSequence when items is [PickleSequence] or [PickleSequence, long or null] => items[0],
            GlobalMeaning.Size when items is [PickleSequence sizes] => sizes,
            GlobalMeaning.Inert => new InertObject(global.Name),
            GlobalMeaning.EncodeBytes when items is [string text, "latin1" or "latin-1"] => Encode(text, offset),
            GlobalMeaning.EncodeBytes when items is [string text, "latin1" or "latin-1", "strict"] => Encode(text, offset),
            GlobalMeaning.ArrayType when items is [string code, ..] => new PickledArrayType(code),
            GlobalMeaning.Array when items is [PickleGlobal { Module: "numpy", Name: "ndarray" }, ..] => new PickledArray(offset),
            GlobalMeaning.ArrayFromBuffer when items is [TensorData bytes, PickledArrayType type, PickleSequence shape, "C" or "F"] =>
                new PickledArray(offset) { State = new(SequenceKind.Tuple, [null, shape, type, items[3] is "F", bytes]) },
            GlobalMeaning.StorageClass or GlobalMeaning.ElementType or GlobalMeaning.Constant or GlobalMeaning.BuiltinScalar =>
                throw PickleRefusals.Unsafe(PickleOpcode.Reduce, $"calls {global}", offset),
            _ => throw PickleRefusals.Invalid(PickleOpcode.Reduce, $"calls {global} with other arguments than it has", offset),
        };
    }

    /// <summary>NEWOBJ: an object of a class. Only objects that are nothing but attributes are made so in checkpoints.</summary>
    /// <param name="callee">The class.</param>
    /// <param name="arguments">The arguments.</param>
    /// <param name="offset">Where the instruction stands.</param>
    /// <exception cref="ModelFormatException">The class is another.</exception>
    public object New(object? callee, object? arguments, long offset)
    {
        budget.Keep(PickleBudget.ContainerBytes, offset);
        return callee is PickleGlobal { Meaning: GlobalMeaning.Namespace } && arguments is PickleSequence { Kind: SequenceKind.Tuple, Items: [] }
            ? new PickleDictionary(DictionaryKind.Namespace)
            : throw PickleRefusals.Unsafe(PickleOpcode.NewObj, $"makes an object of {(callee is PickleGlobal global ? global.ToString() : "a class")}", offset);
    }

    /// <summary>BUILD: what an object keeps of the state that it is given.</summary>
    /// <param name="target">The object.</param>
    /// <param name="state">The state.</param>
    /// <param name="offset">Where the instruction stands.</param>
    /// <exception cref="ModelFormatException">The object takes no state, or another.</exception>
    public static void SetState(object? target, object? state, long offset)
    {
        switch (target, state)
        {
            case (PickleDictionary { Kind: DictionaryKind.Namespace, Source: null } named, PickleDictionary attributes):
                named.Source = attributes;
                break;

            // The attributes of state dictionaries are the versions of modules.
            case (PickleDictionary { Kind: DictionaryKind.Collection }, PickleDictionary):
                break;
            case (PickledArray { State: null } array, PickleSequence { Kind: SequenceKind.Tuple } values):
                array.State = values;
                break;
            case (PickledArrayType type, PickleSequence { Items: [_, string order, null, null, null, ..] }):
                type.ByteOrder = order;
                break;
            case (PickledArrayType type, PickleSequence { Kind: SequenceKind.Tuple }):
                type.ByteOrder = "";
                break;
            default:
                throw PickleRefusals.Unsafe(PickleOpcode.Build, "gives a state to an object that has none in a checkpoint", offset);
        }
    }

    private static PickleDictionary Collection(PickleGlobal global, List<object?> items, long offset) => items switch
    {
        [] => new PickleDictionary(DictionaryKind.Collection),
        [PickleDictionary or PickleSequence] => new PickleDictionary(DictionaryKind.Collection) { Source = items[0] },
        _ => throw PickleRefusals.Invalid(PickleOpcode.Reduce, $"calls {global} with other arguments than it has", offset),
    };

    private MemoryTensorData Encode(string text, long offset)
    {
        budget.Keep(text.Length, offset);
        byte[] bytes = new byte[text.Length];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = text[i] <= byte.MaxValue
                ? (byte)text[i]
                : throw PickleRefusals.Invalid(PickleOpcode.Reduce, "encodes text as Latin-1 that has other characters", offset);
        }

        return new MemoryTensorData(bytes);
    }
}
