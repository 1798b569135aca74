namespace Condense.Service.Library;

/// <summary>Where another form of a model is.</summary>
internal enum FormState
{
    /// <summary>A worker makes it, or will.</summary>
    Making,

    /// <summary>Its bytes are there.</summary>
    Ready,

    /// <summary>It can't be made.</summary>
    Failed,
}
