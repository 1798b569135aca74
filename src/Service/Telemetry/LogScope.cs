using System.Collections;

namespace Condense.Service.Telemetry;

/// <summary>Values that go with every log entry within a scope: ids of ours, never a name or a secret.</summary>
/// <param name="values">Name and value; without a value it is left out.</param>
internal sealed class LogScope(params (string Name, object? Value)[] values) : IReadOnlyList<KeyValuePair<string, object?>>
{
    private readonly KeyValuePair<string, object?>[] _values = [.. values.Where(value => value.Value is not null).Select(value => KeyValuePair.Create(value.Name, value.Value))];

    /// <inheritdoc/>
    public int Count => _values.Length;

    /// <inheritdoc/>
    public KeyValuePair<string, object?> this[int index] => _values[index];

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => _values.AsEnumerable().GetEnumerator();

    /// <summary>As the formatters for terminals show it.</summary>
    public override string ToString() => string.Join(' ', _values.Select(value => $"{value.Key}:{value.Value}"));

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
