using System.Numerics;

namespace Condense.Engine.Methods;

/// <summary>One row on its way to codes; the buffers serve row after row.</summary>
internal sealed class RowRounding(int columns)
{
    private readonly float[] _scales = new float[columns];
    private readonly float[] _lowest = new float[columns];
    private readonly float[] _highest = new float[columns];
    private readonly int[] _zeroPoints = new int[columns];
    private readonly float[] _steps = new float[columns];
    private readonly float[] _values = new float[columns];
    private bool _spread;

    /// <summary>What the codes of the row stand for.</summary>
    public ReadOnlySpan<float> Values => _values;

    /// <summary>Gives a run of entries their scale.</summary>
    public void Spread(in CodeScale scale, int start, int length)
    {
        Array.Fill(_scales, scale.Scale, start, length);
        Array.Fill(_lowest, scale.Lowest, start, length);
        Array.Fill(_highest, scale.Highest, start, length);
        Array.Fill(_zeroPoints, scale.ZeroPoint, start, length);
    }

    /// <summary>Gives every entry of every row the same scale.</summary>
    public void SpreadOnce(in CodeScale scale)
    {
        if (!_spread)
        {
            Spread(scale, 0, columns);
            _spread = true;
        }
    }

    /// <summary>Gives every column its scale.</summary>
    public void SpreadOnce(CodeScale[] scales)
    {
        if (!_spread)
        {
            for (int column = 0; column < columns; column++)
            {
                Spread(scales[column], column, 1);
            }

            _spread = true;
        }
    }

    /// <summary>Rounds a row to steps, ties to even, and back to values.</summary>
    public void Round(ReadOnlySpan<float> row)
    {
        int i = 0;
        for (; i <= columns - Vector<float>.Count; i += Vector<float>.Count)
        {
            var scale = new Vector<float>(_scales, i);
            var steps = Vector.Round(new Vector<float>(row[i..]) / scale);
            steps = Vector.Min(Vector.Max(steps, new Vector<float>(_lowest, i)), new Vector<float>(_highest, i));
            steps.CopyTo(_steps, i);
            (steps * scale).CopyTo(_values, i);
        }

        for (; i < columns; i++)
        {
            _steps[i] = Math.Min(Math.Max(MathF.Round(row[i] / _scales[i]), _lowest[i]), _highest[i]);
            _values[i] = _steps[i] * _scales[i];
        }
    }

    /// <summary>The codes of the row.</summary>
    public void Emit(Span<byte> codes)
    {
        for (int i = 0; i < codes.Length; i++)
        {
            codes[i] = unchecked((byte)((int)_steps[i] + _zeroPoints[i]));
        }
    }
}
