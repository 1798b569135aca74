using System.Numerics;
using Condense.Engine.Structures;

namespace Condense.Engine.Methods;

/// <summary>
/// The scale with the least squared error among those of ranges cut short. Tried are 15, 14, … sixteenths of the whole range, until the error is
/// <see cref="GiveUp"/> times the least; then, around the best, thirty-seconds and sixty-fourths. With a zero point each end is tried by itself, at a half,
/// a quarter and an eighth and by sixteenths from the best so far. Some 12 passes over the run when symmetric, 24 with a zero point, at most 100; nothing
/// is allocated.
/// </summary>
internal readonly ref struct ClippedRange
{
    private const double Coarse = 1.0 / 16;

    private const double Finest = 1.0 / 64;

    /// <summary>The error falls and then grows with the square of what is cut off: far beyond the least there is nothing to find.</summary>
    private const double GiveUp = 2;

    /// <summary>Sums are of f32 within a chunk: a gain below this may be none.</summary>
    private const double LeastGain = 1e-5;

    private const int ChunkElements = 4096;

    private readonly ReadOnlySpan<float> _run;
    private readonly float _least;
    private readonly float _greatest;
    private readonly QuantizedForm _form;
    private readonly CodeScale _whole;

    private ClippedRange(ReadOnlySpan<float> run, float least, float greatest, QuantizedForm form)
    {
        _run = run;
        _least = Math.Min(least, 0);
        _greatest = Math.Max(greatest, 0);
        _form = form;
        _whole = CodeScale.Of(least, greatest, form.Symmetric, form.CodeBits);
    }

    /// <summary>Finds the scale. O(passes·length).</summary>
    /// <param name="run">The entries, finite.</param>
    /// <param name="least">The least of them, or 0 where that is less.</param>
    /// <param name="greatest">The greatest of them, or 0 where that is more.</param>
    /// <param name="form">Width and symmetry.</param>
    /// <returns>A scale whose squared error is at most that of the whole range.</returns>
    public static CodeScale Of(ReadOnlySpan<float> run, float least, float greatest, QuantizedForm form)
    {
        var range = new ClippedRange(run, least, greatest, form);

        // Among denormals a scale can't be divided any further.
        return range._least == range._greatest || !float.IsNormal((float)(range._whole.Scale * Coarse)) ? range._whole : range.Search();
    }

    private CodeScale Search()
    {
        var all = Cut(1, 1);
        var best = all;
        for (double part = 1 - Coarse; part > 0; part -= Coarse)
        {
            var cut = Cut(part, part);
            best = Better(best, cut);
            if (cut.Error > GiveUp * best.Error)
            {
                break;
            }
        }

        if (_form.Symmetric || _least == 0 || _greatest == 0)
        {
            for (double step = Coarse / 2; step >= Finest; step /= 2)
            {
                var (low, high, _) = best;
                best = Better(Better(best, Cut(low - step, high - step)), Cut(low + step, high + step));
            }
        }
        else
        {
            // An outlier at one end: the other end should stay.
            best = Halve(best, low: true);
            best = Halve(best, low: false);
            for (int round = 0; round < (int)(1 / Coarse); round++)
            {
                double before = best.Error;
                best = MoveEnds(best, Coarse);
                if (best.Error == before)
                {
                    break;
                }
            }

            for (double step = Coarse / 2; step >= Finest; step /= 2)
            {
                best = MoveEnds(best, step);
            }
        }

        return best.Error < all.Error * (1 - LeastGain) ? Scale(best.Low, best.High) : _whole;
    }

    private Parts Halve(Parts best, bool low)
    {
        for (double part = 0.5; part >= 2 * Coarse; part /= 2)
        {
            var cut = low ? Cut(part, 1) : Cut(1, part);
            best = Better(best, cut);
            if (cut.Error > GiveUp * best.Error)
            {
                break;
            }
        }

        return best;
    }

    private Parts MoveEnds(Parts best, double step)
    {
        var (low, high, _) = best;
        best = Better(Better(best, Cut(low - step, high)), Cut(low + step, high));
        low = best.Low;
        return Better(Better(best, Cut(low, high - step)), Cut(low, high + step));
    }

    private static Parts Better(Parts first, Parts second) => second.Error < first.Error ? second : first;

    private CodeScale Scale(double low, double high) => CodeScale.Of((float)(_least * low), (float)(_greatest * high), _form.Symmetric, _form.CodeBits);

    private Parts Cut(double low, double high) =>
        new(low, high, low is > 0 and <= 1 && high is > 0 and <= 1 ? SquaredError(Scale(low, high)) : double.PositiveInfinity);

    /// <summary><c>Σ (w − Scale·t)² ÷ Scale₀²</c>, Scale₀ that of the whole range: so nothing leaves the range of f32, however large the entries.</summary>
    private double SquaredError(in CodeScale scale)
    {
        var steps = new Vector<float>(scale.Scale);
        var lowest = new Vector<float>(scale.Lowest);
        var highest = new Vector<float>(scale.Highest);
        double sum = 0;
        for (int start = 0; start < _run.Length; start += ChunkElements)
        {
            var chunk = _run[start..Math.Min(_run.Length, start + ChunkElements)];
            var squares = Vector<float>.Zero;
            int i = 0;
            for (; i <= chunk.Length - Vector<float>.Count; i += Vector<float>.Count)
            {
                var exact = new Vector<float>(chunk[i..]) / steps;
                var missed = exact - Vector.Min(Vector.Max(Vector.Round(exact), lowest), highest);
                squares += missed * missed;
            }

            float rest = 0;
            for (; i < chunk.Length; i++)
            {
                float exact = chunk[i] / scale.Scale;
                float missed = exact - Math.Min(Math.Max(MathF.Round(exact), scale.Lowest), scale.Highest);
                rest += missed * missed;
            }

            sum += (double)Vector.Sum(squares) + rest;
        }

        double ratio = (double)scale.Scale / _whole.Scale;
        return sum * ratio * ratio;
    }

    /// <summary>Parts of the range below and above zero that are kept, and the error that this makes.</summary>
    private readonly record struct Parts(double Low, double High, double Error);
}
