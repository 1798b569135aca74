namespace Condense.Engine.Methods;

/// <summary>The row weights of an <see cref="Importance"/>, checked against a weight.</summary>
internal static class RowWeights
{
    /// <summary>m weights, or null when every row counts 1.</summary>
    /// <exception cref="ArgumentException">Their number is not m, or one is negative or not finite.</exception>
    public static double[]? Of(Importance importance, int rows)
    {
        ArgumentNullException.ThrowIfNull(importance);
        if (importance.RowWeights is not { } given)
        {
            return null;
        }

        if (given.Count != rows)
        {
            throw new ArgumentException($"{given.Count} row weights for a matrix of {rows} rows; give one for each.", nameof(importance));
        }

        var weights = new double[rows];
        for (int i = 0; i < rows; i++)
        {
            weights[i] = given[i];
            if (!(weights[i] >= 0) || !double.IsFinite(weights[i]))
            {
                throw new ArgumentException($"The weight of row {i} is {weights[i]}; weights are finite and not negative.", nameof(importance));
            }
        }

        return weights;
    }

    /// <summary>The weights divided by the greatest, so that no sum overflows; null with 1 when every row counts the same or none counts.</summary>
    public static (double[]? Weights, double Greatest) Normalize(double[]? weights)
    {
        double greatest = weights is null || weights.Length == 0 ? 0 : weights.Max();
        return greatest == 0 ? (null, 1) : (Array.ConvertAll(weights!, weight => weight / greatest), greatest);
    }
}
