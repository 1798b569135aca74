namespace Condense.Pipeline.Recipes;

/// <summary>How ranges are clipped, as recipes say it.</summary>
internal enum ClippingChoice
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>To the least mean squared error.</summary>
    Mse,
}
