namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>What a harmless name of a pickle stands for.</summary>
internal enum GlobalMeaning
{
    /// <summary>A class of storages; named in persistent ids, never called.</summary>
    StorageClass,

    /// <summary>A type of elements; never called.</summary>
    ElementType,

    /// <summary>A class or constant that is an argument of others; never called.</summary>
    Constant,

    /// <summary>A built-in class: the default of a <c>defaultdict</c>, or called with a row of values.</summary>
    BuiltinSequence,

    /// <summary>A built-in class that is only a default; never called.</summary>
    BuiltinScalar,

    /// <summary>A dictionary of <c>collections</c>.</summary>
    OrderedDictionary,

    /// <summary>A dictionary whose first argument is its default.</summary>
    DefaultDictionary,

    /// <summary>An object of attributes; made by NEWOBJ and BUILD.</summary>
    Namespace,

    /// <summary><c>torch.Size</c>: its one argument, a tuple.</summary>
    Size,

    /// <summary>Called for an object without data: a device, a layout, a complex number.</summary>
    Inert,

    /// <summary><c>_rebuild_tensor</c>, <c>_v2</c> and <c>_v3</c>.</summary>
    RebuildTensor,

    /// <summary><c>_rebuild_parameter</c>, with or without state.</summary>
    RebuildParameter,

    /// <summary><c>_rebuild_from_type_v2</c>: another function of this list, a class, its arguments, attributes.</summary>
    RebuildFromType,

    /// <summary>A tensor of a kind that isn't read: sparse, quantized, without data.</summary>
    RebuildOther,

    /// <summary><c>_codecs.encode</c> with Latin-1: how protocol 2 writes bytes.</summary>
    EncodeBytes,

    /// <summary><c>numpy.dtype</c>.</summary>
    ArrayType,

    /// <summary>NumPy's <c>_reconstruct</c>: an array whose state follows.</summary>
    Array,

    /// <summary>NumPy's <c>_frombuffer</c>, as protocol 5 has it: bytes, dtype, shape, order.</summary>
    ArrayFromBuffer,
}
