using System.Globalization;
using Condense.Engine.Factorizations;
using Condense.Engine.Matrices;
using Condense.Engine.Methods;
using Condense.Engine.Structures;

namespace Condense.Studies;

/// <summary>
/// GloVe 6B 100d, its first 40,000 words in the order of their frequency, with Zipf weights: what each kind of factorization loses at the same number
/// of parameters.
/// </summary>
internal static class GloveStudy
{
    private static readonly double[] s_ratios = [4, 8, 16];

    private static readonly double[] s_exponents = [1, 0.75];

    /// <summary>Measures and prints a table for each exponent.</summary>
    /// <param name="data">The folder of shared data.</param>
    /// <param name="output">Takes the Markdown.</param>
    public static async Task RunAsync(string data, TextWriter output)
    {
        var table = NpyTable.Read(Path.Combine(data, "embeddings", "glove.6B.100d", "vectors.top40000.npy"));
        await output.WriteLineAsync("# GloVe 40,000×100 with Zipf weights\n");
        await output.WriteLineAsync(
            """
            Squared relative error in the norm of the weights, `Σ wᵢ‖Wᵢ−Ŵᵢ‖² ÷ Σ wᵢ‖Wᵢ‖²`, measured on the structure as it is stored, at the same number of
            stored numbers (`ratio` = 4,000,000 ÷ numbers, as papers count: factors without scales and without the order of the rows). Bytes count all that
            is stored: factors, scales, and 4 bytes a row where rows change their order. GroupReduce cuts 5 blocks of equal height with the paper's ranks,
            20 blocks that grow geometrically with water-filled ranks; "refined" moves rows between blocks for up to 10 rounds.

            """);
        foreach (double exponent in s_exponents)
        {
            var importance = new Importance { RowWeights = [.. Enumerable.Range(0, table.Rows).Select(rank => Math.Pow(1 / (rank + 50.0), exponent))] };
            await output.WriteLineAsync($"## w = (1 ÷ (rank + 50))^{exponent.ToString(CultureInfo.InvariantCulture)}\n");
            await output.WriteLineAsync("| ratio | factors | method | squared error | error | numbers | bytes |\n|---:|---|---|---:|---:|---:|---:|");
            foreach (double ratio in s_ratios)
            {
                foreach (int? bits in new int?[] { null, 8 })
                {
                    foreach (var (name, compress) in Methods(table, importance, ratio, bits))
                    {
                        var structure = compress();
                        var error = ErrorMeasure.Measure(table, structure, importance, Environment.ProcessorCount);
                        await output.WriteLineAsync(FormattableString.Invariant(
                            $"| {ratio} | {(bits is null ? "f32" : "int8")} | {name} | {error.WeightedSquaredError / error.WeightedSquaredNorm:F4} | {error.WeightedRelativeError:F4} | {structure.Form.ParameterCount:N0} | {structure.StorageBits / 8:N0} |"));
                    }
                }
            }

            await output.WriteLineAsync();
        }
    }

    private static IEnumerable<(string Name, Func<StructuredMatrix> Compress)> Methods(Matrix table, Importance importance, double ratio, int? bits)
    {
        long budget = (long)(table.Rows * (double)table.Columns / ratio);
        yield return ("SVD", () => LowRankOf(table, Importance.None, budget, bits));
        yield return ("weighted SVD", () => LowRankOf(table, importance, budget, bits));
        foreach (var (rule, blocks, name) in new[] { (RankRule.Paper, 5, "paper's ranks"), (RankRule.WaterFilled, 20, "water-filled") })
        {
            foreach (int rounds in new[] { 0, 10 })
            {
                var settings = new GroupReduceSettings
                {
                    Blocks = blocks,
                    Ranks = rule,
                    RefinementRounds = rounds,
                    Entry = new BlockEntry(bits),
                    Budget = new GroupBudget(budget, CountsBits: false),
                };
                yield return (
                    $"GroupReduce, {name}{(rounds == 0 ? "" : ", refined")}",
                    () => GroupReduce.Compress(table, importance, settings, seed: 0, Environment.ProcessorCount, CancellationToken.None).Structure);
            }
        }
    }

    private static StructuredMatrix LowRankOf(Matrix table, Importance importance, long budget, int? bits)
    {
        var settings = new LowRankSettings { Rank = (int)(budget / (table.Rows + table.Columns)), CodeBits = bits };
        var basis = LowRankBasis.Compute(table, importance, table.Columns, seed: 0, Environment.ProcessorCount, CancellationToken.None);
        return LowRank.Compress(table, importance, basis, settings, Environment.ProcessorCount).Structure;
    }
}
