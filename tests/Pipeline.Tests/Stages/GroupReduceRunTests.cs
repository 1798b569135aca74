using System.Text.Json.Nodes;
using Condense.Engine.Matrices;
using Condense.Engine.Structures;
using Condense.Models;
using Condense.Models.Rewriting;
using Condense.Pipeline.Recipes;
using Condense.Pipeline.Reports;
using Condense.Pipeline.Stages;
using Xunit;

namespace Condense.Pipeline.Tests.Stages;

/// <summary>Block low rank from file to file, on the sample's embedding and output layer and on tables made in code.</summary>
public sealed class GroupReduceRunTests : IDisposable
{
    // The sample's rows stand in the order of the vocabulary, which is that of frequency.
    private static readonly double[] s_falling = [.. Enumerable.Range(0, 2000).Select(row => Math.Floor(100_000.0 / (row + 1)))];

    private static readonly double[] s_shuffled = Shuffle(s_falling);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("onnx", false)]
    [InlineData("onnx", true)]
    [InlineData("safetensors", false)]
    [InlineData("safetensors", true)]
    public async Task A_rule_groups_the_rows_of_a_table(string format, bool shuffled)
    {
        var settings = new JsonObject { ["blocks"] = 4, ["parameterRatio"] = 5, ["refinementRounds"] = 0 };
        var report = await RunAsync(Sample(format), Rule(settings, shuffled ? s_shuffled : s_falling));
        var encoder = report.Layers.Single(layer => layer.Name == "encoder.weight");
        var form = Assert.IsType<RowPartitionForm>(encoder.Form);
        Assert.Equal(4, form.Blocks.Count);
        Assert.Equal(shuffled, form.Permuted);
        Assert.InRange((double)encoder.Rows * encoder.Columns / form.ParameterCount, 5, 5.1);
        Assert.Equal(form.StorageBits / 8, encoder.BytesAfter);
        Assert.Equal(encoder.Bound!.Value, encoder.WeightedRelativeError!.Value, 1e-5);
    }

    [Fact]
    public async Task Moving_rows_lowers_the_error_and_takes_no_more_numbers()
    {
        var fixedRows = await RunAsync(Sample("onnx"), Rule(new JsonObject { ["parameterRatio"] = 5, ["refinementRounds"] = 0 }, s_shuffled), work: "fixed");
        var refined = await RunAsync(Sample("onnx"), Rule(new JsonObject { ["parameterRatio"] = 5 }, s_shuffled), work: "refined");
        var before = fixedRows.Layers.Single(layer => layer.Name == "encoder.weight");
        var after = refined.Layers.Single(layer => layer.Name == "encoder.weight");
        Assert.True(after.WeightedRelativeError < 0.99 * before.WeightedRelativeError);
        Assert.True(after.Form!.ParameterCount <= before.Form!.ParameterCount);
        Assert.Equal(after.Bound!.Value, after.WeightedRelativeError!.Value, 1e-5);
        Assert.True(Assert.IsType<RowPartitionForm>(after.Form).Permuted);
    }

    [Fact]
    public async Task Blocks_serve_frequent_rows_better_than_one_factorization_does()
    {
        var grouped = await RunAsync(Sample("safetensors"), Rule(new JsonObject { ["parameterRatio"] = 5, ["refinementRounds"] = 0 }, s_falling), work: "grouped");
        var rule = new LayerRule("encoder.*", "low-rank", new JsonObject { ["parameterRatio"] = 5 });
        var whole = await RunAsync(Sample("safetensors"), new CompressionRecipe { Layers = [rule], Frequencies = new TokenFrequencies(s_falling, ["encoder.*"]) }, work: "whole");
        var blocks = grouped.Layers.Single(layer => layer.Name == "encoder.weight");
        var one = whole.Layers.Single(layer => layer.Name == "encoder.weight");
        Assert.True(blocks.WeightedRelativeError < one.WeightedRelativeError);
        Assert.True(blocks.HeadError < 0.5 * one.HeadError);
        Assert.True(blocks.HeadError < blocks.MidError && blocks.MidError < blocks.TailError);
    }

    [Fact]
    public async Task The_errors_of_frequent_and_rare_rows_are_those_of_the_file()
    {
        var report = await RunAsync(Sample("safetensors"), Rule(new JsonObject { ["ranks"] = "paper", ["factorBits"] = 8 }, s_shuffled));
        var encoder = report.Layers.Single(layer => layer.Name == "encoder.weight");
        using var before = ModelReader.Open(ModelParts.Single(Sample("safetensors")), ReadLimits.Default);
        using var after = ModelReader.Open(ModelParts.Single(_folder.File("moby-dick-lstm.safetensors")), ReadLimits.Default);
        var found = ModelRewriter.FindStructured(after).Single(layer => layer.Name == "encoder.weight");
        var (w, what) = (ReadDense(before), StructureTensors.Read(found.Form, found.Data).ToDense());
        int[] order = [.. Enumerable.Range(0, w.Rows).OrderByDescending(row => s_shuffled[row]).ThenBy(row => row)];
        Assert.Equal(Error(w, what, order[..20]), encoder.HeadError!.Value, 1e-6);
        Assert.Equal(Error(w, what, order[20..200]), encoder.MidError!.Value, 1e-6);
        Assert.Equal(Error(w, what, order[200..]), encoder.TailError!.Value, 1e-6);
        Assert.All(report.Layers.Where(layer => layer.Name != "encoder.weight"), layer => Assert.Null(layer.HeadError));
        Assert.Contains("| encoder.weight | ", ReportMarkdown.Write(report).Split("## Frequent and rare rows")[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("onnx", 8, false)]
    [InlineData("onnx", 8, true)]
    [InlineData("safetensors", 12, false)]
    [InlineData("safetensors", 12, true)]
    public async Task A_target_is_met_by_blocks_where_frequencies_are_known(string format, double ratio, bool shuffled)
    {
        var recipe = new CompressionRecipe
        {
            Target = new CompressionTarget(TargetKind.Ratio, ratio),
            Methods = ["group-reduce"],
            Layers = [new LayerRule("rnn.*", "quantize", null)],
            Frequencies = new TokenFrequencies(shuffled ? s_shuffled : s_falling, ["encoder.*", "decoder.*"]),
        };
        CompressionRun.Check(ModelParts.Single(Sample(format)), format == "onnx" ? ModelFormat.Onnx : ModelFormat.Safetensors, recipe);
        var report = await RunAsync(Sample(format), recipe);
        Assert.InRange(report.Ratio, ratio, ratio * 1.03);
        Assert.All(report.Layers.Where(layer => !layer.Name.StartsWith("rnn.", StringComparison.Ordinal)), layer => Assert.Equal("group-reduce", layer.Method));
        Assert.Equal(new FileInfo(_folder.File("moby-dick-lstm." + format)).Length, report.BytesAfter);
    }

    [Fact]
    public async Task Any_number_of_threads_gives_the_same_bytes_and_a_second_run_reuses_them()
    {
        var recipe = Rule(new JsonObject { ["factorBits"] = 8 }, s_shuffled);
        var one = await RunAsync(Sample("onnx"), recipe, threads: 1, work: "one");
        var four = await RunAsync(Sample("onnx"), recipe, threads: 4, work: "four");
        var again = await RunAsync(Sample("onnx"), recipe, threads: 4, work: "four");
        Assert.Equal(one.DigestAfter, four.DigestAfter);
        Assert.Equal(one.DigestAfter, again.DigestAfter);
        Assert.Equal(1, again.ReusedLayers);
    }

    [Fact]
    public async Task Without_frequencies_only_a_rule_groups_rows()
    {
        var target = new CompressionRecipe { Target = new CompressionTarget(TargetKind.Ratio, 6) };
        Assert.DoesNotContain((await RunAsync(Sample("onnx"), target)).Layers, layer => layer.Method == "group-reduce");
        var rule = new CompressionRecipe { Layers = [new LayerRule("encoder.*", "group-reduce", new JsonObject { ["blocks"] = 3 })] };
        var encoder = (await RunAsync(Sample("onnx"), rule)).Layers.Single(layer => layer.Name == "encoder.weight");
        Assert.Equal("group-reduce", encoder.Method);
        Assert.Null(encoder.HeadError);
    }

    [Fact]
    public async Task One_block_is_a_weighted_svd()
    {
        var grouped = await RunAsync(Sample("safetensors"), Rule(new JsonObject { ["blocks"] = 1, ["parameterRatio"] = 5 }, s_shuffled), work: "grouped");
        var form = Assert.IsType<ProductForm>(grouped.Layers.Single(layer => layer.Name == "encoder.weight").Form);
        var rule = new LayerRule("encoder.*", "low-rank", new JsonObject { ["rank"] = form.Rank });
        var whole = await RunAsync(Sample("safetensors"), new CompressionRecipe { Layers = [rule], Frequencies = new TokenFrequencies(s_shuffled, ["encoder.*"]) }, work: "whole");
        var (one, svd) = (grouped.Layers.Single(layer => layer.Name == "encoder.weight"), whole.Layers.Single(layer => layer.Name == "encoder.weight"));
        Assert.Equal(svd.WeightedRelativeError!.Value, one.WeightedRelativeError!.Value, 1e-9);
        Assert.Equal(svd.Bound!.Value, one.Bound!.Value, 1e-9);
    }

    [Theory]
    [InlineData("""{ "blocks": 0 }""", "/layers/0/settings/blocks")]
    [InlineData("""{ "refinementRounds": 51 }""", "/layers/0/settings/refinementRounds")]
    [InlineData("""{ "parameterRatio": 1 }""", "/layers/0/settings/parameterRatio")]
    [InlineData("""{ "factorBits": 5 }""", "/layers/0/settings/factorBits")]
    [InlineData("""{ "ranks": "best" }""", "/layers/0/settings/ranks")]
    public async Task Wrong_settings_are_refused_with_their_place(string settings, string pointer)
    {
        var exception = await Assert.ThrowsAsync<RecipeException>(() => RunAsync(Sample("onnx"), Rule(JsonNode.Parse(settings)!.AsObject(), s_falling)));
        Assert.Equal(pointer, exception.Problems.Single().Pointer);
    }

    // 2000×96 in four groups: rank 1 everywhere takes 2000 + 4·96 numbers of 192,000; in twenty, 2000 + 20·96; in 256, most groups keep their entries.
    [Theory]
    [InlineData("""{ "blocks": 4, "parameterRatio": 1000 }""", "80.53", false)]
    [InlineData("""{ "blocks": 4, "parameterRatio": 80.54, "factorBits": 8 }""", "80.53", false)]
    [InlineData("""{ "blocks": 4, "parameterRatio": 80.54, "ranks": "paper" }""", "80.53", true)]
    [InlineData("""{ "parameterRatio": 60 }""", "48.97", false)]
    public async Task A_ratio_beyond_rank_1_everywhere_is_refused_with_the_highest(string settings, string highest, bool withTarget)
    {
        var parsed = JsonNode.Parse(settings)!.AsObject();
        var recipe = Rule(parsed, s_falling) with { Target = withTarget ? new CompressionTarget(TargetKind.Ratio, 1.1) : null };
        var exception = Assert.Throws<RecipeException>(() => CompressionRun.Check(ModelParts.Single(Sample("safetensors")), ModelFormat.Safetensors, recipe));
        Assert.Equal("incompatible_method", exception.Code);
        Assert.Equal("/layers/0/settings/parameterRatio", exception.Problems.Single().Pointer);
        Assert.Contains(highest, exception.Message, StringComparison.Ordinal);

        parsed = JsonNode.Parse(settings)!.AsObject();
        parsed["parameterRatio"] = double.Parse(highest, System.Globalization.CultureInfo.InvariantCulture);
        var report = await RunAsync(Sample("safetensors"), recipe with { Layers = [new LayerRule("encoder.*", "group-reduce", parsed)] });
        var encoder = report.Layers.Single(layer => layer.Name == "encoder.weight");
        Assert.True((double)encoder.Rows * encoder.Columns / encoder.Form!.ParameterCount >= (double)parsed["parameterRatio"]!);
    }

    [Fact]
    public void A_target_leaves_out_the_groups_that_a_rule_s_ratio_is_beyond()
    {
        // Five groups can have a ratio of 70, twenty can't.
        var recipe = Rule(new JsonObject { ["parameterRatio"] = 70 }, s_falling) with { Target = new CompressionTarget(TargetKind.Ratio, 1.1) };
        CompressionRun.Check(ModelParts.Single(Sample("safetensors")), ModelFormat.Safetensors, recipe);
        using var model = ModelReader.Open(ModelParts.Single(Sample("safetensors")), ReadLimits.Default);
        var work = PlannedWork.Prepare(model, ModelParts.Single(Sample("safetensors")), ModelFormat.Safetensors, recipe);
        var grouped = work.Candidates.SelectMany(ladder => ladder).Where(candidate => candidate.Grouping is not null).ToList();
        Assert.NotEmpty(grouped);
        Assert.All(grouped, candidate => Assert.Equal(5, Assert.IsType<RowPartitionForm>(candidate.Form).Blocks.Count));
    }

    [Fact]
    public void A_rule_without_frequencies_is_warned_of_by_layer()
    {
        var files = ModelParts.Single(Sample("safetensors"));
        using var model = ModelReader.Open(files, ReadLimits.Default);
        var blind = new CompressionRecipe { Layers = [new LayerRule("*coder.weight", "group-reduce", null)] };
        var warnings = PlannedWork.Prepare(model, files, ModelFormat.Safetensors, blind).Warnings;
        Assert.Equal(["no_frequencies decoder.weight", "no_frequencies encoder.weight"], warnings.Select(warning => $"{warning.Code} {warning.Layer}").Order(StringComparer.Ordinal));
        var half = blind with { Frequencies = new TokenFrequencies(s_falling, ["encoder.*"]) };
        Assert.Equal("decoder.weight", PlannedWork.Prepare(model, files, ModelFormat.Safetensors, half).Warnings.Single().Layer);
        Assert.Empty(PlannedWork.Prepare(model, files, ModelFormat.Safetensors, Rule([], s_falling)).Warnings);
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.5)]
    [InlineData(double.NaN)]
    public async Task An_exponent_beyond_0_and_1_is_refused(double exponent)
    {
        var recipe = Rule([], s_falling);
        var exception = await Assert.ThrowsAsync<RecipeException>(() => RunAsync(Sample("onnx"), recipe with { Frequencies = recipe.Frequencies! with { Exponent = exponent } }));
        Assert.Equal("/frequencies/exponent", exception.Problems.Single().Pointer);
    }

    [Fact]
    public async Task A_recurrent_weight_is_not_grouped()
    {
        var recipe = new CompressionRecipe { Layers = [new LayerRule("rnn.weight_hh_l0", "group-reduce", null)] };
        var exception = await Assert.ThrowsAsync<RecipeException>(() => RunAsync(Sample("onnx"), recipe));
        Assert.Equal("incompatible_method", exception.Code);
    }

    private static CompressionRecipe Rule(JsonObject settings, double[] counts) => new()
    {
        Layers = [new LayerRule("encoder.*", "group-reduce", settings)],
        Frequencies = new TokenFrequencies(counts, ["encoder.*"]),
    };

    private static string Sample(string format) => format == "onnx" ? SampleFiles.Onnx : SampleFiles.Safetensors;

    private static double[] Shuffle(double[] counts)
    {
        double[] shuffled = [.. counts];
        new Random(4).Shuffle(shuffled);
        return shuffled;
    }

    private static Matrix ReadDense(Model model)
        => Models.Tensors.WeightReader.Read(Models.Graph.LayerFinder.Find(model).Single(layer => layer.Name == "encoder.weight"));

    private static double Error(Matrix w, Matrix what, int[] rows)
    {
        double error = 0, norm = 0;
        foreach (int row in rows)
        {
            for (int column = 0; column < w.Columns; column++)
            {
                error += Math.Pow((double)w[row, column] - what[row, column], 2);
                norm += Math.Pow(w[row, column], 2);
            }
        }

        return Math.Sqrt(error / norm);
    }

    private Task<CompressionReport> RunAsync(string path, CompressionRecipe recipe, int threads = 2, string work = "work") => CompressionRun.RunAsync(
        ModelParts.Single(path),
        _folder.File(Path.GetFileName(path)),
        path.EndsWith(".onnx", StringComparison.Ordinal) ? ModelFormat.Onnx : ModelFormat.Safetensors,
        recipe,
        new RunEnvironment { WorkDirectory = _folder.File(work), Threads = threads },
        progress: null,
        TestContext.Current.CancellationToken);
}
