using Condense.Engine.Factorizations;
using Condense.Engine.Kernels;
using Condense.Engine.Matrices;
using Condense.Engine.Methods;
using Condense.Engine.Structures;
using MathNet.Numerics.LinearAlgebra;

namespace Condense.Engine.Tests.Methods;

public sealed class GroupReduceTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void One_block_is_the_singular_value_decomposition_of_the_weighted_rows(bool weighted)
    {
        var weight = Samples.Decaying(150, 40, 0.5, 1);
        var importance = new Importance { RowWeights = weighted ? Samples.RowWeights(150, 2) : null };
        double[] tails = Tails(weight, importance.RowWeights, [.. Enumerable.Range(0, 150)]);
        foreach (int rank in new[] { 1, 4, 20 })
        {
            var result = Compress(weight, importance, Settings(rank * 190L) with { Blocks = 1 });
            Assert.Equal(rank, Assert.IsType<ProductMatrix>(result.Structure).Rank);
            AssertRelative(tails[rank], result.Bound!.Value, 1e-9);
            AssertRelative(tails[rank], result.Error.WeightedSquaredError, Tolerance.IdentityInFloat);
        }
    }

    [Theory]
    [InlineData(RankRule.Paper)]
    [InlineData(RankRule.WaterFilled)]
    public void The_error_is_the_sum_of_the_blocks_tails(RankRule rule)
    {
        var weight = Samples.Decaying(400, 30, 0.4, 1);
        var importance = new Importance { RowWeights = Samples.RowWeights(400, 2) };
        var groups = RowGroups.ByWeight(importance, RowGroups.Cut(400, 5, rule));
        var basis = Basis(weight, importance, groups);
        var plan = basis.Allocate(rule, default, new GroupBudget(3000, CountsBits: false))!;
        double sum = groups.Rows.Select((rows, g) => plan.Blocks[g] is ProductForm product ? Tails(weight, importance.RowWeights, rows)[product.Rank] : 0).Sum();
        AssertRelative(sum, plan.SquaredError, 1e-9);
        AssertRelative(sum, basis.Bound(plan), 1e-9);
        var structure = GroupReduce.Build(weight, importance, basis, plan, default, threads: 1);
        AssertRelative(sum, ErrorMeasure.Measure(weight, structure, importance).WeightedSquaredError, Tolerance.IdentityInFloat);
    }

    // The numbers of group_reduce.py.
    [Theory]
    [InlineData(2, 0.720986189528, 0.639410564912, 0.519062, 0.628995276358, 0.720801967923, 3, 1, 1, 1)]
    [InlineData(5, 0.464066029494, 0.273715141676, 0.234835, 0.267133721186, 0.289217752069, 13, 1, 1, 1)]
    public void Every_number_agrees_with_numpy(
        int rank, double one, double paper, double moved, double least, double oneStepLess, params int[] ranks)
    {
        var (weight, importance) = Topics();
        var budget = new GroupBudget(rank * 324L, CountsBits: false);
        double energy = Basis(weight, importance, RowGroups.ByWeight(importance, [300])).TotalEnergy;
        AssertRelative(one, Compress(weight, importance, Settings(budget.Limit) with { Blocks = 1 }).Bound!.Value / energy, 1e-9);

        var basis = Basis(weight, importance, RowGroups.ByWeight(importance, RowGroups.Cut(300, 4, RankRule.Paper)));
        var plan = basis.Allocate(RankRule.Paper, default, budget)!;
        Assert.Equal(ranks, plan.Blocks.Select(block => ((ProductForm)block).Rank));
        AssertRelative(paper, plan.SquaredError / energy, 1e-9);
        var settings = Settings(budget.Limit) with { Ranks = RankRule.Paper, RefinementRounds = 1 };
        var (_, refined) = GroupReduce.Refine(weight, importance, basis, plan, settings, 0, 1, null, TestContext.Current.CancellationToken);
        AssertRelative(moved, refined.SquaredError / energy, 1e-4);

        int[] sizes = RowGroups.Cut(300, 4, RankRule.WaterFilled);
        Assert.Equal([64, 43, 72, 121], sizes);
        double filled = Basis(weight, importance, RowGroups.ByWeight(importance, sizes)).Allocate(RankRule.WaterFilled, default, budget)!.SquaredError / energy;
        Assert.InRange(filled, least * (1 - 1e-9), oneStepLess);
    }

    [Theory]
    [InlineData(RankRule.Paper, null)]
    [InlineData(RankRule.WaterFilled, null)]
    [InlineData(RankRule.WaterFilled, 8)]
    public void Refinement_only_ever_lowers_the_error_within_the_budget(RankRule rule, int? bits)
    {
        var (weight, importance) = Topics();
        var settings = Settings(0) with { Ranks = rule, Entry = new BlockEntry(bits), RefinementRounds = 20, Budget = new GroupBudget(40_000, CountsBits: true) };
        var basis = Basis(weight, importance, RowGroups.ByWeight(importance, RowGroups.Cut(300, 5, rule)));
        var plan = basis.Allocate(rule, settings.Entry, settings.Budget)!;
        var errors = new List<double> { plan.SquaredError };
        var (moved, refined) = GroupReduce.Refine(weight, importance, basis, plan, settings, 0, 2, errors.Add, TestContext.Current.CancellationToken);
        Assert.True(errors.Count > 1);
        Assert.Equal(errors.OrderDescending(), errors);
        Assert.Equal(errors[^1], refined.SquaredError);
        Assert.True(refined.Blocks.Sum(block => block.StorageBits) <= 40_000);
        Assert.Equal(Enumerable.Range(0, 300), moved.Groups.Rows.SelectMany(rows => rows).Order());

        var before = ErrorMeasure.Measure(weight, GroupReduce.Build(weight, importance, basis, plan, settings.Entry, 1), importance);
        var after = ErrorMeasure.Measure(weight, GroupReduce.Build(weight, importance, moved, refined, settings.Entry, 1), importance);
        Assert.True(after.WeightedSquaredError < before.WeightedSquaredError);
    }

    [Theory]
    [InlineData(8, 0.887, 0.584, 0.202, 0.192, 0.081)]
    [InlineData(16, 0.789, 0.454, 0.066, 0.051, 0.025)]
    [InlineData(32, 0.639, 0.300, 0.0237, 0.0081, 0.0056)]
    public void Blocks_beat_weighting_and_weighting_beats_plain_factors_on_a_zipf_table(
        int rank, double plain, double weighted, double paper, double paperRefined, double filledRefined)
    {
        // 8000×128: six topics with falling spectra and some noise, frequent rows with a fuller one; weights 1/rank. The expected numbers come from
        // another random stream.
        const int Rows = 8000, Columns = 128;
        var weight = ZipfTable(Rows, Columns);
        var importance = new Importance { RowWeights = [.. Enumerable.Range(0, Rows).Select(row => 1e6 / (row + 1))] };
        long budget = rank * (Rows + (long)Columns);
        var settings = new LowRankSettings { Rank = rank };
        var basis = LowRankBasis.Compute(weight, Importance.None, rank, 0, 2, TestContext.Current.CancellationToken);
        double svd = Relative(ErrorMeasure.Measure(weight, LowRank.Compress(weight, Importance.None, basis, settings, 2).Structure, importance, 2));
        double one = Relative(Compress(weight, importance, Settings(budget) with { Blocks = 1 }).Error);
        double first = Relative(Compress(weight, importance, Settings(budget) with { Blocks = 10, Ranks = RankRule.Paper }).Error);
        double second = Relative(Compress(weight, importance, Settings(budget) with { Blocks = 10, Ranks = RankRule.Paper, RefinementRounds = 10 }).Error);
        double third = Relative(Compress(weight, importance, Settings(budget) with { Blocks = 20, RefinementRounds = 10 }).Error);
        Assert.True(svd > one && one > first && first > second && second > third);
        Assert.InRange(svd / plain, 0.8, 1.2);
        Assert.InRange(one / weighted, 0.8, 1.2);
        Assert.InRange(first / paper, 0.7, 1.3);
        Assert.InRange(second / paperRefined, 0.3, 1.3);
        Assert.InRange(third / filledRefined, 0.3, 1.3);
    }

    [Fact]
    public void Any_number_of_threads_gives_the_same_bits()
    {
        var (weight, importance) = Topics();
        var settings = Settings(1500) with { Blocks = 6, RefinementRounds = 5, Entry = new BlockEntry(8) };
        var one = GroupReduce.Compress(weight, importance, settings, 3, threads: 1, TestContext.Current.CancellationToken);
        var many = GroupReduce.Compress(weight, importance, settings, 3, threads: 7, TestContext.Current.CancellationToken);
        Assert.Equal(one.Structure.Form, many.Structure.Form);
        Assert.Equal(one.Structure.ToDense().Values, many.Structure.ToDense().Values);
        Assert.Equal(one.Error, many.Error);
    }

    [Fact]
    public void Rows_that_are_zero_alike_or_never_used_do_no_harm()
    {
        var weight = Samples.Normal(120, 10, 1);
        for (int row = 0; row < 120; row += 3)
        {
            weight.Row(row).Clear();
        }

        for (int row = 1; row < 120; row += 3)
        {
            weight.Row(1).CopyTo(weight.Row(row));
        }

        foreach (double[] weights in new[] { Samples.RowWeights(120, 2), new double[120], [.. Enumerable.Repeat(1e300, 120)] })
        {
            foreach (var rule in Enum.GetValues<RankRule>())
            {
                var result = Compress(weight, new Importance { RowWeights = weights }, Settings(700) with { Blocks = 7, Ranks = rule, RefinementRounds = 3 });
                Assert.True(result.Structure.Form.ParameterCount <= 700);
                Assert.True(double.IsFinite(result.Error.RelativeError));
                Assert.All(result.Structure.ToDense().Values, value => Assert.True(float.IsFinite(value)));
            }
        }
    }

    [Fact]
    public void Blocks_of_fewer_rows_than_ranks_keep_their_entries()
    {
        var weight = Samples.Normal(9, 40, 1);
        var importance = new Importance { RowWeights = [.. Enumerable.Range(1, 9).Select(i => 1.0 / i)] };
        foreach (var rule in Enum.GetValues<RankRule>())
        {
            var result = Compress(weight, importance, Settings(360) with { Blocks = 9, Ranks = rule });
            Assert.All(Assert.IsType<RowPartitionForm>(result.Structure.Form).Blocks, block => Assert.IsType<DenseForm>(block));
            Assert.Equal(0, result.Error.SquaredError);
            Assert.Equal(0, result.Bound);
        }
    }

    [Fact]
    public void Rows_in_the_order_of_their_weights_stay_where_they_are()
    {
        var weight = Samples.Normal(200, 12, 1);
        double[] falling = [.. Enumerable.Range(1, 200).Select(i => 1.0 / i)];
        var inOrder = Compress(weight, new Importance { RowWeights = falling }, Settings(900) with { Blocks = 4 });
        Assert.Null(Assert.IsType<RowPartitionMatrix>(inOrder.Structure).Permutation);
        var reversed = Compress(weight, new Importance { RowWeights = [.. falling.Reverse()] }, Settings(900) with { Blocks = 4 });
        var permuted = Assert.IsType<RowPartitionMatrix>(reversed.Structure);
        Assert.True(((RowPartitionForm)permuted.Form).Permuted);
        Assert.True(permuted.Permutation![199] < 64 && permuted.Permutation[0] >= 64);
    }

    [Fact]
    public void A_budget_below_rank_one_is_refused()
    {
        var exception = Assert.Throws<ArgumentException>(() => Compress(Samples.Normal(100, 10, 1), Importance.None, Settings(50)));
        Assert.Contains("budget of 50", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Narrow_floats_are_the_format_of_every_block()
    {
        var (weight, importance) = Topics();
        var result = Compress(weight, importance, Settings(2000) with { Blocks = 4, Entry = new BlockEntry(null, FloatFormat.F16) });
        Assert.Equal(16 * result.Structure.Form.ParameterCount, result.Structure.StorageBits - (32 * 300));
        Assert.True(result.Error.WeightedRelativeError < 0.6);
    }

    [Fact]
    public void Rows_are_not_moved_where_their_factors_would_be_beyond_the_range_of_f16()
    {
        // Two directions of norm 67,000, mixed 3:2 and 2:3. Each apart is of rank 1, with a left factor of 67,000 in every row.
        var weight = new Matrix(200, 16);
        for (int row = 0; row < 200; row++)
        {
            bool second = (row < 100) == (row % 5 > 2);
            for (int column = 0; column < 16; column++)
            {
                weight[row, column] = second && column >= 12 ? -16_750 : 16_750;
            }
        }

        foreach (var format in new[] { FloatFormat.F32, FloatFormat.F16 })
        {
            var settings = Settings(2 * 116) with { Blocks = 2, Ranks = RankRule.Paper, RefinementRounds = 5, Entry = new BlockEntry(null, format) };
            var basis = Basis(weight, Importance.None, RowGroups.ByWeight(Importance.None, [100, 100]));
            Assert.InRange(basis.Peak, 50_000, 65_504);
            var plan = basis.Allocate(settings.Ranks, settings.Entry, settings.Budget)!;
            var (refined, blocks) = GroupReduce.Refine(weight, Importance.None, basis, plan, settings, 0, 1, null, TestContext.Current.CancellationToken);
            Assert.Equal(format == FloatFormat.F32, refined.Peak > 65_504);
            Assert.Equal(format == FloatFormat.F32, blocks.SquaredError < 1e-6 * plan.SquaredError);
            var structure = GroupReduce.Build(weight, Importance.None, refined, blocks, settings.Entry, 1);
            Assert.All(structure.ToDense().Values, value => Assert.True(float.IsFinite(value)));
        }
    }

    [Fact]
    public void Frequent_and_rare_rows_are_measured_apart()
    {
        var weight = Samples.Normal(250, 8, 1);
        double[] weights = Samples.RowWeights(250, 2);
        int[] order = [.. Enumerable.Range(0, 250).OrderByDescending(row => weights[row]).ThenBy(row => row)];
        double[] errors = new double[250];
        errors[order[2]] = 5;
        errors[order[3]] = 7;
        errors[order[249]] = 11;
        var bands = FrequencyBands.Of(weight, new Importance { RowWeights = weights }, errors);
        Assert.Equal(Math.Sqrt(5 / Norm(order[..3])), bands.Head, 1e-12);
        Assert.Equal(Math.Sqrt(7 / Norm(order[3..25])), bands.Mid, 1e-12);
        Assert.Equal(Math.Sqrt(11 / Norm(order[25..])), bands.Tail, 1e-12);
        Assert.Equal(new FrequencyBands(2, 0, 0), FrequencyBands.Of(new Matrix(1, 1, [3]), Importance.None, [36]));

        double Norm(int[] rows) => rows.Sum(row => weight.Row(row).ToArray().Sum(value => (double)value * value));
    }

    private static GroupReduceSettings Settings(long numbers) => new() { Blocks = 5, RefinementRounds = 0, Budget = new GroupBudget(numbers, CountsBits: false) };

    private static CompressedWeight Compress(Matrix weight, Importance importance, GroupReduceSettings settings)
        => GroupReduce.Compress(weight, importance, settings, seed: 0, threads: 2, TestContext.Current.CancellationToken);

    private static GroupBasis Basis(Matrix weight, Importance importance, RowGroups groups)
        => GroupBasis.Compute(weight, importance, groups, seed: 0, threads: 2, TestContext.Current.CancellationToken);

    private static double Relative(ErrorMeasure error) => error.WeightedSquaredError / error.WeightedSquaredNorm;

    private static void AssertRelative(double expected, double actual, double tolerance) => Assert.InRange(actual / expected, 1 - tolerance, 1 + tolerance);

    /// <summary>Σ over j ≥ k of the squared singular values of some weighted rows, by an independent library in f64.</summary>
    private static double[] Tails(Matrix weight, IReadOnlyList<double>? weights, int[] rows)
    {
        var scaled = Matrix<double>.Build.Dense(rows.Length, weight.Columns, (i, j) => Math.Sqrt(weights?[rows[i]] ?? 1) * weight[rows[i], j]);
        double[] tails = [.. scaled.Svd(computeVectors: false).S.Select(value => value * value), 0];
        for (int j = tails.Length - 2; j >= 0; j--)
        {
            tails[j] += tails[j + 1];
        }

        return tails;
    }

    /// <summary>The instance of group_reduce.py.</summary>
    private static (Matrix Weight, Importance Importance) Topics()
    {
        var weight = new Matrix(300, 24);
        ulong state = 1;
        for (int i = 0; i < 300; i++)
        {
            for (int j = 0; j < 24; j++)
            {
                state = unchecked((state * 6364136223846793005) + 1442695040888963407);
                weight[i, j] = (float)(((state >> 40) / 16777216.0 - 0.5) * Math.ScaleB(1, -((j + (8 * (i % 3))) % 24 / 4)));
            }
        }

        return (weight, new Importance { RowWeights = [.. Enumerable.Range(0, 300).Select(i => 1000.0 / (1 + (i * 7 % 300)))] });
    }

    private static Matrix ZipfTable(int rows, int columns)
    {
        const int Topics = 6, Frequent = 400;
        var bases = new Matrix[Topics];
        for (int topic = 0; topic < Topics; topic++)
        {
            bases[topic] = OrthonormalBasis.Of(Samples.Normal(columns, columns, topic), threads: 2);
            for (int i = 0; i < columns; i++)
            {
                for (int j = 0; j < columns; j++)
                {
                    bases[topic][i, j] *= (float)Math.Exp(-j / 12.0);
                }
            }
        }

        var random = new Random(7);
        var (inner, noise, full) = (Samples.Normal(rows, columns, 8), Samples.Normal(rows, columns, 9), Samples.Normal(Frequent, columns, 10));
        var table = new Matrix(rows, columns);
        for (int row = 0; row < rows; row++)
        {
            var one = new Matrix(1, columns, inner.Row(row).ToArray());
            var image = Gemm.Multiply(one, bases[random.Next(Topics)], transposeB: true);
            for (int j = 0; j < columns; j++)
            {
                table[row, j] = image[0, j] + (0.05f * noise[row, j]) + (row < Frequent ? 0.5f * full[row, j] : 0);
            }
        }

        return table;
    }
}
