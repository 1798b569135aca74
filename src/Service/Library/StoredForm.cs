using Condense.Service.Access;

namespace Condense.Service.Library;

/// <summary>A row of the table <c>model_form</c>: another form of a model, made once when it was first asked for.</summary>
internal sealed class StoredForm : ITenantOwned
{
    /// <summary>The model.</summary>
    public required string ModelId { get; init; }

    /// <summary>The form.</summary>
    public required ModelForm Form { get; init; }

    /// <inheritdoc/>
    public required string TenantId { get; init; }

    /// <summary>Where it is.</summary>
    public required FormState State { get; set; }

    /// <summary>The artifact; null until it is made.</summary>
    public string? Sha256 { get; set; }

    /// <summary>Why it can't be made: the problem's word; null unless it failed.</summary>
    public string? ProblemCode { get; set; }

    /// <summary>The same as a sentence.</summary>
    public string? ProblemDetail { get; set; }

    /// <summary>When it was asked for first, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}
