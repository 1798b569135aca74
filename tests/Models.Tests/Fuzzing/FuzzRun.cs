using System.Diagnostics;

namespace Condense.Models.Tests.Fuzzing;

/// <summary>Reads broken files one after another and keeps account. Input i of a seed is the same in every run.</summary>
/// <param name="format">The format.</param>
/// <param name="seed">Decides the inputs.</param>
/// <param name="folder">Where the inputs are written, one over the other.</param>
internal sealed class FuzzRun(FuzzFormat format, int seed, string folder)
{
    // Enough to see what is wrong.
    private const int KeptFailures = 20;

    private readonly List<string> _failures = [];

    /// <summary>Inputs that were read.</summary>
    public int Accepted { get; private set; }

    /// <summary>Inputs that were refused with a <see cref="ModelFormatException"/>.</summary>
    public int Refused { get; private set; }

    /// <summary>Inputs that ended in any other exception.</summary>
    public int Crashes { get; private set; }

    /// <summary>The most bytes that reading one input allocated.</summary>
    public long LargestAllocation { get; private set; }

    /// <summary>The longest time that one input took.</summary>
    public TimeSpan LongestRead { get; private set; }

    /// <summary>The number of the input that is read now, for whoever watches.</summary>
    public int Current { get; private set; }

    /// <summary>When its reading began, by <see cref="Stopwatch.GetTimestamp"/>.</summary>
    public long CurrentStart { get; private set; }

    /// <summary>The first failures: input, cause and bytes.</summary>
    public IReadOnlyList<string> Failures => _failures;

    /// <summary>Reads inputs.</summary>
    /// <param name="count">How many.</param>
    public void Run(int count)
    {
        format.Prepare(folder);
        string path = Path.Combine(folder, "model");
        for (int input = 0; input < count; input++)
        {
            byte[] bytes = format.Make(new Random(unchecked((seed * 1_000_003) + input)));
            File.WriteAllBytes(path, bytes);
            long before = GC.GetAllocatedBytesForCurrentThread();
            Current = input;
            CurrentStart = Stopwatch.GetTimestamp();
            try
            {
                format.Read(path);
                Accepted++;
            }
            catch (ModelFormatException refusal)
            {
                Refused++;
                if (string.IsNullOrEmpty(refusal.Message) || refusal.Offset < 0 || refusal.Offset > bytes.Length)
                {
                    Fail(input, bytes, $"was refused at byte {refusal.Offset} of {bytes.Length}: {refusal.Message}");
                }
            }
            catch (Exception exception)
            {
                Crashes++;
                Fail(input, bytes, exception.ToString());
            }

            var elapsed = Stopwatch.GetElapsedTime(CurrentStart);
            LongestRead = elapsed > LongestRead ? elapsed : LongestRead;
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            LargestAllocation = Math.Max(LargestAllocation, allocated);
            if (allocated > FuzzFormat.MaxAllocation)
            {
                Fail(input, bytes, $"took {allocated} bytes");
            }
        }
    }

    private void Fail(int input, byte[] bytes, string what)
    {
        if (_failures.Count < KeptFailures)
        {
            _failures.Add($"Input {input} of {format.Name}, seed {seed}, {what}\n{Convert.ToHexString(bytes)}");
        }
    }
}
