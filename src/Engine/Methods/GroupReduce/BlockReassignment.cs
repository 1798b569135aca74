using Condense.Engine.Kernels;
using Condense.Engine.Matrices;
using Condense.Engine.Structures;

namespace Condense.Engine.Methods;

/// <summary>
/// Moves every row to the block that serves it best for what a row costs there: <c>argmin_p wᵢ·e_ip + λ·c_p</c>, <c>e_ip = ‖Wᵢ‖² − ‖Wᵢ·V_p‖²</c>. A
/// block of higher rank serves every row better, and without the price λ all rows would go there; λ is the least that keeps the budget.
/// </summary>
internal static class BlockReassignment
{
    /// <summary>Halvings of the range of λ on a logarithmic scale: prices next to one another in double precision.</summary>
    private const int Halvings = 64;

    /// <summary>The least price that is tried, as a part of the most that a row can gain.</summary>
    private const double LeastPrice = 1e-24;

    /// <summary>Assigns the rows. O(m·n·Σk + m·c·64) for c blocks of ranks k; memory: m·c numbers.</summary>
    /// <param name="weight">W, m×n.</param>
    /// <param name="weights">The row weights, in 0 … 1; null: 1.</param>
    /// <param name="basis">The bases of the blocks as they are.</param>
    /// <param name="blocks">Their shapes.</param>
    /// <param name="budget">What they may cost together; what they cost as they are is within it.</param>
    /// <param name="threads">Degree of parallelism.</param>
    /// <returns>For each row the number of its block.</returns>
    public static int[] Assign(Matrix weight, double[]? weights, GroupBasis basis, IReadOnlyList<StructureForm> blocks, GroupBudget budget, int threads)
    {
        // Cheap blocks first: where two serve a row alike, the cheaper has it.
        int[] order = [.. Enumerable.Range(0, blocks.Count).OrderBy(block => RowCost(blocks[block], budget)).ThenBy(block => block)];
        double[] costs = Array.ConvertAll(order, block => RowCost(blocks[block], budget));
        double[] losses = Losses(weight, weights, basis, blocks, order, threads);
        double rest = budget.Limit;
        for (int i = 0; i < order.Length; i++)
        {
            rest -= budget.Cost(blocks[order[i]]) - (costs[i] * blocks[order[i]].Rows);
        }

        int[] chosen = new int[weight.Rows];
        double greatest = losses.Length == 0 ? 0 : losses.Max();
        if (Choose(losses, costs, price: 0, chosen) > rest && greatest > 0)
        {
            double low = greatest * LeastPrice, high = 2 * greatest / LeastStep(costs);
            for (int i = 0; i < Halvings; i++)
            {
                double middle = Math.Sqrt(low) * Math.Sqrt(high);
                (low, high) = Choose(losses, costs, middle, chosen) <= rest ? (low, middle) : (middle, high);
            }

            Choose(losses, costs, high, chosen);
        }

        return Array.ConvertAll(chosen, place => order[place]);
    }

    /// <summary>What a row costs in a block: its entries of the left factor or its own, with what goes with each row.</summary>
    private static double RowCost(StructureForm block, GroupBudget budget) => block switch
    {
        ProductForm product => RowCost(product.Left, budget),
        QuantizedForm { Granularity: QuantizationGranularity.PerRow } or DenseForm => (double)budget.Cost(block) / block.Rows,
        QuantizedForm quantized => (double)(budget.CountsBits ? quantized.CodeBits : 1) * quantized.Columns,
        _ => throw new ArgumentException($"A block is a product, codes or floats, not a {block.GetType().Name}.", nameof(block)),
    };

    private static double LeastStep(double[] costs)
    {
        double least = double.PositiveInfinity;
        for (int i = 1; i < costs.Length; i++)
        {
            least = costs[i] > costs[0] ? Math.Min(least, costs[i] - costs[0]) : least;
        }

        return double.IsFinite(least) ? least : 1;
    }

    /// <summary>Each row's best place at a price, and what the rows cost there.</summary>
    private static double Choose(double[] losses, double[] costs, double price, int[] chosen)
    {
        double total = 0;
        for (int row = 0; row < chosen.Length; row++)
        {
            var offers = losses.AsSpan(row * costs.Length, costs.Length);
            int best = 0;
            double least = offers[0] + (price * costs[0]);
            for (int i = 1; i < offers.Length; i++)
            {
                double loss = offers[i] + (price * costs[i]);
                if (loss < least)
                {
                    (best, least) = (i, loss);
                }
            }

            chosen[row] = best;
            total += costs[best];
        }

        return total;
    }

    /// <summary><c>wᵢ·e_ip</c>, m×c in the given order of the blocks; 0 where a block keeps the entries themselves.</summary>
    private static double[] Losses(Matrix weight, double[]? weights, GroupBasis basis, IReadOnlyList<StructureForm> blocks, int[] order, int threads)
    {
        int[] ranks = [.. order.Select(block => (blocks[block] as ProductForm)?.Rank ?? 0)];
        var vectors = new Matrix(ranks.Sum(), weight.Columns);
        for (int i = 0, start = 0; i < order.Length; start += ranks[i++])
        {
            basis.Bases[order[i]].RightVectors.Values.AsSpan(0, ranks[i] * weight.Columns).CopyTo(vectors.Values.AsSpan(start * weight.Columns));
        }

        double[] losses = new double[(long)weight.Rows * order.Length];
        RowBlocks.ForEach(weight.Rows, RowBlocks.Streaming, threads, (_, first, count) =>
        {
            var images = new Matrix(count, vectors.Rows);
            BlockedProduct.Compute(Operand.Of(weight).RowRange(first, count), Operand.Of(vectors).Transposed, Operand.Of(images), threads: 1);
            for (int row = 0; row < count; row++)
            {
                double norm = VectorArithmetic.SquaredNorm(weight.Row(first + row));
                double importance = weights?[first + row] ?? 1;
                var image = images.Row(row);
                for (int i = 0, start = 0; i < order.Length; start += ranks[i++])
                {
                    if (ranks[i] > 0)
                    {
                        double residual = norm - VectorArithmetic.SquaredNorm(image.Slice(start, ranks[i]));
                        losses[((first + row) * order.Length) + i] = importance * Math.Max(0, residual);
                    }
                }
            }
        });
        return losses;
    }
}
