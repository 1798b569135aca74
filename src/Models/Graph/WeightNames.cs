namespace Condense.Models.Graph;

/// <summary>What the usual names of modules say about their weights.</summary>
internal static class WeightNames
{
    private static readonly char[] s_separators = ['.', '/', ':'];

    private static readonly string[] s_attention =
    [
        "q_proj", "k_proj", "v_proj", "o_proj", "q_lin", "k_lin", "v_lin", "query", "key", "value", "qkv", "wqkv", "qkv_proj", "query_key_value", "c_attn",
        "in_proj_weight", "to_q", "to_k", "to_v", "to_qkv", "to_out",
    ];

    // What the transformers library's GPT-2 and its kin call modules of the class Conv1D.
    private static readonly string[] s_conv1D = ["c_attn", "q_attn", "c_proj", "c_fc"];

    private static readonly string[] s_outputs =
        ["decoder", "lm_head", "softmax", "classifier", "output", "output_projection", "logits", "score", "head", "fc_out", "proj_out"];

    private static readonly string[] s_tables = ["wte", "wpe", "emb", "encoder", "lookup", "lookup_table", "tok", "vocab"];

    /// <summary>What the name of a module's weight ends with.</summary>
    internal const string Weight = "weight";

    /// <summary>Whether a name is that of the weight of a module that may be a <c>Conv1D</c>.</summary>
    internal static bool IsConv1D(string name) => name.EndsWith("." + Weight, StringComparison.Ordinal) && s_conv1D.Contains(LastModule(name), StringComparer.Ordinal);

    /// <summary>Whether a name speaks of a projection of attention.</summary>
    internal static bool IsAttention(string name) => Modules(name).Any(module =>
        s_attention.Contains(module, StringComparer.Ordinal)
        || module.Contains("attn", StringComparison.Ordinal)
        || module.Contains("attention", StringComparison.Ordinal));

    /// <summary>Whether a name is that of a projection to a vocabulary or to classes.</summary>
    internal static bool IsOutput(string name) => s_outputs.Contains(LastModule(name), StringComparer.Ordinal);

    /// <summary>Whether a name is that of a table of vectors.</summary>
    internal static bool IsTable(string name) =>
        Modules(name).Any(module => module.Contains("embed", StringComparison.Ordinal)) || s_tables.Contains(LastModule(name), StringComparer.Ordinal);

    private static string[] Modules(string name) => name.ToLowerInvariant().Split(s_separators, StringSplitOptions.RemoveEmptyEntries);

    private static string LastModule(string name) =>
        Modules(name).LastOrDefault(module => module is not ("weight" or "weight_v" or "weight_g" or "kernel" or "w"), "");
}
