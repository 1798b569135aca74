using System.Text.Json.Nodes;
using Condense.Models.Graph;

namespace Condense.Pipeline.Recipes;

/// <summary>Every method that this version has.</summary>
public static class MethodCatalogue
{
    private static readonly WeightRole[] s_products =
    [
        WeightRole.Embedding, WeightRole.Softmax, WeightRole.Linear, WeightRole.Attention, WeightRole.LstmInput, WeightRole.GruInput, WeightRole.RnnInput, WeightRole.Conv,
    ];

    private static readonly WeightRole[] s_tables = [WeightRole.Embedding, WeightRole.Softmax];

    private static readonly WeightRole[] s_all = [.. Enum.GetValues<WeightRole>().Where(role => role != WeightRole.Other)];

    /// <summary>The methods, in the order of their names.</summary>
    public static IReadOnlyList<MethodDescription> All { get; } =
    [
        new(
            MethodNames.Float16,
            "Entries rounded to IEEE binary16: half the bytes of f32, at a relative error of about 2e-4.",
            Schema(),
            [],
            s_all,
            "IEEE 754-2019, 3.6"),
        new(
            MethodNames.GroupReduce,
            "Rows of a vocabulary grouped by token frequency, each group W_p ≈ U_p·V_p with a rank of its own; rows may move to the group that serves them best. Frequent words keep more than rare ones; fewer operations as well as fewer bytes.",
            Schema(
                ("blocks", """{ "type": "integer", "minimum": 1, "maximum": 256, "description": "Groups of rows. Default 20, or 5 with ranks \"paper\" and on small tables." }"""),
                ("ranks", """{ "enum": ["waterFilled", "paper"], "description": "waterFilled: the ranks of least error, groups growing from frequent to rare. paper: ranks in proportion to the mean frequency, groups of equal height. Default waterFilled." }"""),
                ("refinementRounds", """{ "type": "integer", "minimum": 0, "maximum": 50, "description": "The most rounds in which rows move between groups. Moved rows cost 4 bytes each row of the table. Default 10; with a target 0 where the table is in frequency order already." }"""),
                ("parameterRatio", """{ "type": "number", "exclusiveMinimum": 1, "description": "Numbers before ÷ numbers after. Default: the planner's choice, or 4 without a target." }"""),
                ("factorBits", """{ "enum": [8, 16, 32], "description": "Bits of a factor's entry: 32 as f32, 16 as f16, 8 as int8 with a scale per column of U and per row of V. Default: the planner's choice, or 32 without a target." }""")),
            ["frequencies"],
            s_tables,
            "Chen, Si, Li, Chelba & Hsieh, GroupReduce, NeurIPS 2018"),
        new(
            MethodNames.LowRank,
            "W ≈ Left·Right by truncated singular value decomposition, rows weighted by token frequencies where they are given; factors in f32, f16 or int8. Fewer operations as well as fewer bytes.",
            Schema(
                ("rank", """{ "type": "integer", "minimum": 1, "description": "The inner dimension. Default: from parameterRatio." }"""),
                ("parameterRatio", """{ "type": "number", "exclusiveMinimum": 1, "description": "Numbers before ÷ numbers after, when rank is absent. Default 4." }"""),
                ("factorBits", """{ "enum": [8, 16, 32], "description": "Bits of a factor's entry: 32 as f32, 16 as f16, 8 as int8 with a scale per column of Left and per row of Right. Default 32." }""")),
            ["frequencies"],
            s_products,
            "Eckart & Young, Psychometrika 1 (1936); Chen et al., GroupReduce, NeurIPS 2018, section 3.1 (row weights)"),
        new(
            MethodNames.Mixed,
            "Leading rows in a wider format than the others, int8 above int4, f16 above int8 or f32 above f16: any number of bytes between two formats. Vocabularies in frequency order keep their frequent words precise.",
            Schema(
                ("wideRows", """{ "type": "integer", "minimum": 1, "description": "Leading rows in the wider format. Default: half of them." }"""),
                ("wideBits", """{ "enum": [8, 16, 32], "description": "Bits of an entry of those rows. Default 16." }"""),
                ("narrowBits", """{ "enum": [4, 8, 16], "description": "Bits of an entry of the other rows. Default 8." }""")),
            [],
            s_all,
            "The formats of float16 and quantize"),
        new(
            MethodNames.Quantize,
            "Entries rounded to the nearest code of 2 to 8 bits with a scale per row, column, group or tensor; below 8 bits codes are packed, and ranges clipped to the least squared error.",
            Schema(
                ("codeBits", """{ "enum": [2, 3, 4, 5, 6, 8], "description": "Bits of a code. Graphs read packed codes of 2 and 4 bits; others take a byte each there. Default 8." }"""),
                ("symmetric", """{ "type": "boolean", "description": "True: signed codes around 0. False: unsigned codes and a zero point. Default true." }"""),
                ("granularity", """{ "enum": ["perTensor", "perRow", "perColumn", "perGroup"], "description": "What shares a scale. Default perRow; perGroup where groupSize is given." }"""),
                ("groupSize", """{ "type": "integer", "minimum": 2, "description": "Entries of a row that share a scale; the last group of a row may be short. ONNX Runtime multiplies by 4-bit codes directly in groups of 16, 32, 64, 128 and 256. Default 64 with perGroup." }"""),
                ("clipping", """{ "enum": ["mse", "none"], "description": "mse: the part of each range with the least squared error. none: the whole range. Default mse below 8 bits." }""")),
            [],
            s_all,
            "Jacob et al., CVPR 2018, section 2.1; Banner et al., NeurIPS 2019 (clipping)"),
    ];

    /// <summary>The method of that name, or null.</summary>
    /// <param name="name">A method's name.</param>
    public static MethodDescription? Find(string name) => All.FirstOrDefault(method => string.Equals(method.Name, name, StringComparison.Ordinal));

    private static JsonObject Schema(params ReadOnlySpan<(string Name, string Json)> properties)
    {
        var members = new JsonObject();
        foreach (var (name, json) in properties)
        {
            members[name] = JsonNode.Parse(json);
        }

        return new JsonObject { ["type"] = "object", ["additionalProperties"] = false, ["properties"] = members };
    }
}
