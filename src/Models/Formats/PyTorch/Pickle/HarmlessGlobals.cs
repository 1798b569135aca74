using System.Collections.Frozen;

namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>
/// The closed list of names that a pickle may use: those that PyTorch's own reader of weights allows (<c>torch/_weights_only_unpickler.py</c>), the ones
/// that older and newer versions wrote in their place, and a few that hold nothing but data. <c>torch.storage._load_from_bytes</c> is not among them:
/// its argument is another pickle.
/// </summary>
internal static class HarmlessGlobals
{
    private static readonly FrozenDictionary<(string Module, string Name), PickleGlobal> s_globals =
        All().ToFrozenDictionary(global => (global.Module, global.Name));

    /// <summary>Finds a name.</summary>
    /// <param name="module">The module.</param>
    /// <param name="name">The name in the module.</param>
    /// <returns>What it stands for; null when it isn't on the list.</returns>
    public static PickleGlobal? Find(string module, string name) => s_globals.GetValueOrDefault((module, name));

    private static IEnumerable<PickleGlobal> All()
    {
        foreach (var (name, type) in TorchType.ByStorage)
        {
            yield return new("torch", name, GlobalMeaning.StorageClass, type);
            yield return new("torch.cuda", name, GlobalMeaning.StorageClass, type);
        }

        foreach (var (module, name) in new[] { ("torch.storage", "UntypedStorage"), ("torch", "UntypedStorage"), ("torch.storage", "_UntypedStorage") })
        {
            yield return new(module, name, GlobalMeaning.StorageClass, TorchType.Untyped);
        }

        foreach (var (name, type) in TorchType.ByName)
        {
            yield return new("torch", name, GlobalMeaning.ElementType, type);
        }

        foreach (var global in Torch().Concat(Python()).Concat(NumPy()))
        {
            yield return global;
        }
    }

    private static IEnumerable<PickleGlobal> Torch() =>
    [
        new("torch._utils", "_rebuild_tensor", GlobalMeaning.RebuildTensor),
        new("torch._utils", "_rebuild_tensor_v2", GlobalMeaning.RebuildTensor),
        new("torch._utils", "_rebuild_tensor_v3", GlobalMeaning.RebuildTensor),
        new("torch._utils", "_rebuild_parameter", GlobalMeaning.RebuildParameter),
        new("torch._utils", "_rebuild_parameter_with_state", GlobalMeaning.RebuildParameter),
        new("torch._tensor", "_rebuild_from_type_v2", GlobalMeaning.RebuildFromType),
        new("torch._utils", "_rebuild_sparse_tensor", GlobalMeaning.RebuildOther),
        new("torch._utils", "_rebuild_sparse_csr_tensor", GlobalMeaning.RebuildOther),
        new("torch._utils", "_rebuild_nested_tensor", GlobalMeaning.RebuildOther),
        new("torch._utils", "_rebuild_meta_tensor_no_storage", GlobalMeaning.RebuildOther),
        new("torch._utils", "_rebuild_qtensor", GlobalMeaning.RebuildOther),
        new("torch", "Tensor", GlobalMeaning.Constant),
        new("torch._tensor", "Tensor", GlobalMeaning.Constant),
        new("torch.nn.parameter", "Parameter", GlobalMeaning.Constant),
        new("torch.nn.parameter", "Buffer", GlobalMeaning.Constant),
        new("torch", "per_tensor_affine", GlobalMeaning.Constant),
        new("torch", "per_tensor_symmetric", GlobalMeaning.Constant),
        new("torch", "per_channel_affine", GlobalMeaning.Constant),
        new("torch", "per_channel_symmetric", GlobalMeaning.Constant),
        new("torch", "per_channel_affine_float_qparams", GlobalMeaning.Constant),
        new("torch", "Size", GlobalMeaning.Size),
        new("torch", "device", GlobalMeaning.Inert),
        new("torch.serialization", "_get_layout", GlobalMeaning.Inert),
    ];

    private static IEnumerable<PickleGlobal> Python()
    {
        yield return new("collections", "OrderedDict", GlobalMeaning.OrderedDictionary);
        yield return new("collections", "Counter", GlobalMeaning.OrderedDictionary);
        yield return new("collections", "defaultdict", GlobalMeaning.DefaultDictionary);
        yield return new("collections", "deque", GlobalMeaning.BuiltinSequence);
        yield return new("argparse", "Namespace", GlobalMeaning.Namespace);
        yield return new("types", "SimpleNamespace", GlobalMeaning.Namespace);
        yield return new("_codecs", "encode", GlobalMeaning.EncodeBytes);

        // Python 2 knows the module under the first name.
        foreach (string module in new[] { "__builtin__", "builtins" })
        {
            foreach (string name in new[] { "set", "frozenset", "list", "tuple" })
            {
                yield return new(module, name, GlobalMeaning.BuiltinSequence);
            }

            foreach (string name in new[] { "int", "float", "bool", "str", "dict" })
            {
                yield return new(module, name, GlobalMeaning.BuiltinScalar);
            }

            yield return new(module, "complex", GlobalMeaning.Inert);
        }
    }

    private static IEnumerable<PickleGlobal> NumPy()
    {
        yield return new("numpy", "dtype", GlobalMeaning.ArrayType);
        yield return new("numpy", "ndarray", GlobalMeaning.Constant);

        // NumPy 2 knows the modules under the second name.
        foreach (string module in new[] { "numpy.core", "numpy._core" })
        {
            yield return new(module + ".multiarray", "scalar", GlobalMeaning.Inert);
            yield return new(module + ".multiarray", "_reconstruct", GlobalMeaning.Array);
            yield return new(module + ".numeric", "_frombuffer", GlobalMeaning.ArrayFromBuffer);
        }
    }
}
