namespace Condense.Service.Library;

/// <summary>Where a model is.</summary>
internal enum ModelState
{
    /// <summary>The weights are being read.</summary>
    Validating,

    /// <summary>Its files are still being uploaded, one by one.</summary>
    Receiving,

    /// <summary>Jobs may use it.</summary>
    Ready,

    /// <summary>It can't be used; the findings say why.</summary>
    Rejected,
}
