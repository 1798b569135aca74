using System.Globalization;
using Condense.Engine.Factorizations;
using Condense.Engine.Matrices;
using Condense.Engine.Methods;

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
        foreach (double exponent in s_exponents)
        {
            var importance = new Importance { RowWeights = [.. Enumerable.Range(0, table.Rows).Select(rank => Math.Pow(1 / (rank + 50.0), exponent))] };
            await output.WriteLineAsync($"## w = (1 ÷ (rank + 50))^{exponent.ToString(CultureInfo.InvariantCulture)}\n");
            await output.WriteLineAsync("| parameter ratio | SVD | weighted SVD |\n|---:|---:|---:|");
            var plain = LowRankBasis.Compute(table, Importance.None, table.Columns, seed: 0, Environment.ProcessorCount, CancellationToken.None);
            var weighted = LowRankBasis.Compute(table, importance, table.Columns, seed: 0, Environment.ProcessorCount, CancellationToken.None);
            foreach (double ratio in s_ratios)
            {
                int rank = (int)(table.Rows * (double)table.Columns / (ratio * (table.Rows + table.Columns)));
                await output.WriteLineAsync(FormattableString.Invariant(
                    $"| {ratio} | {Error(table, importance, plain, rank):F4} | {Error(table, importance, weighted, rank):F4} |"));
            }

            await output.WriteLineAsync();
        }
    }

    private static double Error(Matrix table, Importance importance, LowRankBasis basis, int rank)
    {
        var structure = LowRank.Compress(table, Importance.None, basis, new LowRankSettings { Rank = rank }, Environment.ProcessorCount).Structure;
        var error = ErrorMeasure.Measure(table, structure, importance, Environment.ProcessorCount);
        return error.WeightedSquaredError / error.WeightedSquaredNorm;
    }
}
