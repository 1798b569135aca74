using System.Text.Json.Serialization;
using Condense.Service.Hosting;
using Condense.Service.Library;
using Condense.Service.Problems;

namespace Condense.Service.Access;

/// <summary>A key that is wanted.</summary>
internal sealed record KeyRequest
{
    /// <summary>What people call it, 1 to 200 characters: who uses it, and where.</summary>
    /// <example>ci</example>
    public required string Name { get; init; }

    /// <summary>What it may do: `models:read`, `models:write`, `jobs:read`, `jobs:write`, `webhooks:manage`, or `admin` for everything and keys.</summary>
    /// <example>["models:read", "models:write", "jobs:read", "jobs:write"]</example>
    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>From when on it is refused, with its offset, at most five years ahead; absent for never.</summary>
    /// <example>2030-01-01T00:00:00Z</example>
    [JsonConverter(typeof(Moment.MomentConverter))]
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Every offending place.</summary>
    /// <param name="now">The time.</param>
    /// <param name="isFirst">Whether keys are asked for from this one on.</param>
    public List<FieldError> Check(DateTimeOffset now, bool isFirst)
    {
        var errors = new List<FieldError>();
        if (string.IsNullOrWhiteSpace(Name) || Name.Length > ResourceName.MaxLength || Name.Any(char.IsControl))
        {
            errors.Add(new("/name", $"1 to {ResourceName.MaxLength} characters belong here, none of them a control character."));
        }

        for (int i = 0; i < Scopes.Count; i++)
        {
            if (!Scope.All.Contains(Scopes[i], StringComparer.Ordinal))
            {
                errors.Add(new(FormattableString.Invariant($"/scopes/{i}"), $"There is no such scope. There are {string.Join(", ", Scope.All)}."));
            }
        }

        if (Scopes.Count == 0)
        {
            errors.Add(new("/scopes", $"At least one belongs here. There are {string.Join(", ", Scope.All)}."));
        }
        else if (isFirst && !Scopes.Contains(Scope.Admin, StringComparer.Ordinal))
        {
            errors.Add(new("/scopes", $"The first key needs the scope {Scope.Admin}: from then on every request needs a key, and nobody could make another one."));
        }

        if (ExpiresAt <= now)
        {
            errors.Add(new("/expiresAt", FormattableString.Invariant($"This lies in the past: it is {now:yyyy-MM-ddTHH:mm:ssZ}.")));
        }
        else if (ExpiresAt - now > KeyRing.MaxLife)
        {
            errors.Add(new("/expiresAt", FormattableString.Invariant($"At most {KeyRing.MaxLife.TotalDays} days ahead; leave it out for a key without an end.")));
        }

        return errors;
    }
}
