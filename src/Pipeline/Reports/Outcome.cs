namespace Condense.Pipeline.Reports;

/// <summary>What became of the request, apart from whether the run ended well.</summary>
public enum Outcome
{
    /// <summary>The target is met; or there was none and the named layers are done.</summary>
    MetTarget,

    /// <summary>Nothing would become smaller: the original was kept, byte for byte.</summary>
    NotWorthwhile,
}
