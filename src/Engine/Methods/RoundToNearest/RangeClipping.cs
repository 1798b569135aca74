namespace Condense.Engine.Methods;

/// <summary>Which part of the range of entries that share a scale its steps are spread over.</summary>
public enum RangeClipping
{
    /// <summary>All of it, from the least to the greatest: no entry is further off than half a step, or a whole one beside a shifted zero.</summary>
    None,

    /// <summary>The part with the least squared error: entries beyond it become its ends, and all others get finer steps.</summary>
    LeastSquares,
}
