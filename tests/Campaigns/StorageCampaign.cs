using System.Data.Common;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Condense.Campaigns;

/// <summary>Measures the service on one database, from outside: bytes in and out, memory, the submission of jobs, and lists over many rows.</summary>
/// <param name="program">The service's assembly.</param>
/// <param name="postgres">An empty PostgreSQL database; null measures SQLite.</param>
/// <param name="sizes">How much of everything.</param>
internal sealed class StorageCampaign(string program, string? postgres, StorageSizes sizes)
{
    private const int Starts = 40;
    private const int ListRequests = 300;
    private const int Submitters = 16;

    private readonly string _folder = Directory.CreateTempSubdirectory("condense-storage-").FullName;
    private readonly List<string> _lines = [];

    private string[] Database => postgres is null ? [] : ["--Storage:Provider=Postgres", $"--Storage:ConnectionString={postgres}"];

    /// <summary>Measures everything and prints it as a Markdown table.</summary>
    public async Task<bool> RunAsync(TextWriter output)
    {
        try
        {
            Add("database", postgres is null ? "SQLite and a folder" : "PostgreSQL");
            Add("load average at the start", (await File.ReadAllTextAsync("/proc/loadavg")).Split(' ')[0]);
            await TransferAsync();
            string model = await StartsAsync();
            await SubmitAsync(model);
            await AddRowsAsync();
            await ListsAsync(model);
            await DrainAsync();
            Add("load average at the end", (await File.ReadAllTextAsync("/proc/loadavg")).Split(' ')[0]);
        }
        finally
        {
            Directory.Delete(_folder, recursive: true);
            await output.WriteLineAsync(string.Join(Environment.NewLine, ["| what | measured |", "|---|---|", .. _lines, ""]));
        }

        return true;
    }

    private static Uri Address(string path) => new(path, UriKind.Relative);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static double Quantile(IEnumerable<double> values, double share)
    {
        double[] sorted = [.. values.Order()];
        return sorted[(int)Math.Min(sorted.Length - 1, sorted.Length * share)];
    }

    private static async Task<JsonNode> PostAsync(MeasuredService service, string path, HttpContent content)
    {
        using var response = await service.Http.PostAsync(Address(path), content);
        string text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode ? JsonNode.Parse(text)! : throw new InvalidOperationException($"{path}: {text}");
    }

    private static StringContent JobOf(string model) => new($$"""{"model":"{{model}}","target":{"ratio":2},"methods":["quantize"]}""", Encoding.UTF8, "application/json");

    private static async Task<string> UploadAsync(MeasuredService service, string path)
    {
        await using var file = File.OpenRead(path);
        using var content = new StreamContent(file, 1 << 20) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } };
        return (string)(await PostAsync(service, "/v1/models", content))["id"]!;
    }

    private void Add(string what, string measured) => _lines.Add($"| {what} | {measured} |");

    /// <summary>One large file against a raw copy of it on the same disk, alternating.</summary>
    private async Task TransferAsync()
    {
        string path = Path.Combine(_folder, "model.safetensors");
        WriteModel(path, sizes.Mebibytes << 20);
        double raw = await CopyAsync(path);
        string model;
        await using (var service = await MeasuredService.StartAsync(program, _folder, ["--Role=Api", .. Database]))
        {
            service.TakePeak();
            long start = Stopwatch.GetTimestamp();
            model = await UploadAsync(service, path);
            double upload = sizes.Mebibytes / Stopwatch.GetElapsedTime(start).TotalSeconds;
            raw = Math.Max(raw, await CopyAsync(path));
            Add(Text($"raw copy of {sizes.Mebibytes} MiB with fsync"), Text($"{raw:F0} MiB/s"));
            Add("upload", Text($"{upload:F0} MiB/s, {upload / raw:F2} of the raw copy; RssAnon at most {service.TakePeak()} MiB"));
            double download = await DownloadAsync(service, model);
            Add("download from the node that took it", Text($"{download:F0} MiB/s; RssAnon at most {service.TakePeak()} MiB"));
        }

        await using (var service = await MeasuredService.StartAsync(program, _folder, ["--Role=Api", .. Database]))
        {
            service.TakePeak();
            double download = await DownloadAsync(service, model);
            Add("download from another node", Text($"{download:F0} MiB/s; RssAnon at most {service.TakePeak()} MiB"));
            using var deleted = await service.Http.DeleteAsync(Address($"/v1/models/{model}"));
            deleted.EnsureSuccessStatusCode();
        }

        File.Delete(path);
    }

    private async Task<double> CopyAsync(string path)
    {
        string copy = Path.Combine(_folder, "copy");
        long start = Stopwatch.GetTimestamp();
        using var dd = Process.Start(new ProcessStartInfo("dd", [$"if={path}", $"of={copy}", "bs=1M", "conv=fsync", "status=none"]))!;
        await dd.WaitForExitAsync();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        File.Delete(copy);
        return sizes.Mebibytes / seconds;
    }

    private async Task<double> DownloadAsync(MeasuredService service, string model)
    {
        long start = Stopwatch.GetTimestamp();
        using var response = await service.Http.GetAsync(Address($"/v1/models/{model}/content"), HttpCompletionOption.ResponseHeadersRead);
        await using var stream = await response.Content.ReadAsStreamAsync();
        byte[] buffer = new byte[1 << 20];
        long total = 0;
        int read;
        while ((read = await stream.ReadAsync(buffer)) > 0)
        {
            total += read;
        }

        return total >> 20 == sizes.Mebibytes
            ? sizes.Mebibytes / Stopwatch.GetElapsedTime(start).TotalSeconds
            : throw new InvalidOperationException($"The download ended after {total} bytes.");
    }

    /// <summary>From the answer to a submission until its job runs, by the times that the service itself writes down.</summary>
    private async Task<string> StartsAsync()
    {
        string path = Path.Combine(_folder, "small.safetensors");
        WriteModel(path, 16 << 10);
        await using var service = await MeasuredService.StartAsync(program, _folder, Database);
        string model = await UploadAsync(service, path);
        await UntilAsync(service, $"/v1/models/{model}", "ready");
        var waits = new List<double>();
        for (int i = 0; i < Starts; i++)
        {
            string job = (string)(await PostAsync(service, "/v1/jobs", JobOf(model)))["id"]!;
            await UntilAsync(service, $"/v1/jobs/{job}", "succeeded");
            var events = JsonNode.Parse(await service.Http.GetStringAsync(Address($"/v1/jobs/{job}/events")))!["data"]!.AsArray();
            waits.Add((At(events, "job.started") - At(events, "job.queued")).TotalMilliseconds);
        }

        Add("submit to running, one process", Text($"p50 {Quantile(waits, 0.5):F0} ms, p95 {Quantile(waits, 0.95):F0} ms ({Starts} jobs)"));
        return model;

        static DateTimeOffset At(JsonArray events, string type) =>
            DateTimeOffset.Parse((string)events.First(item => (string?)item!["type"] == type)!["at"]!, CultureInfo.InvariantCulture);
    }

    private static async Task UntilAsync(MeasuredService service, string path, string state)
    {
        while (true)
        {
            var document = JsonNode.Parse(await service.Http.GetStringAsync(Address(path)))!;
            string found = (string)document["state"]!;
            if (found == state)
            {
                return;
            }

            if (found is "failed" or "rejected")
            {
                throw new InvalidOperationException(document.ToJsonString());
            }

            await Task.Delay(20);
        }
    }

    private async Task SubmitAsync(string model)
    {
        await using var service = await MeasuredService.StartAsync(program, _folder, ["--Role=Api", .. Database]);
        int next = 0;
        var milliseconds = new double[sizes.Jobs];
        long start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Submitters).Select(async _ =>
        {
            int i;
            while ((i = Interlocked.Increment(ref next) - 1) < sizes.Jobs)
            {
                long one = Stopwatch.GetTimestamp();
                await PostAsync(service, "/v1/jobs", JobOf(model));
                milliseconds[i] = Stopwatch.GetElapsedTime(one).TotalMilliseconds;
            }
        }));
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Add(
            Text($"{sizes.Jobs} submissions by {Submitters} clients"),
            Text($"{sizes.Jobs / seconds:F0} a second; p50 {Quantile(milliseconds, 0.5):F0} ms, p99 {Quantile(milliseconds, 0.99):F0} ms; RssAnon at most {service.TakePeak()} MiB"));
        int tenth = Math.Max(1, sizes.Jobs / 10);
        Add("a submission, by jobs that are queued already", Text($"the first {tenth}: p50 {Quantile(milliseconds.Take(tenth), 0.5):F0} ms; the last {tenth}: p50 {Quantile(milliseconds.TakeLast(tenth), 0.5):F0} ms"));
    }

    /// <summary>All that was submitted is worked off: on PostgreSQL by two workers, on SQLite by the one process that there may be, two at once.</summary>
    private async Task DrainAsync()
    {
        string[][] workers = postgres is null ? [["--Worker:Concurrency=2"]] : [["--Role=Worker"], ["--Role=Worker"]];
        long start = Stopwatch.GetTimestamp();
        var services = await Task.WhenAll(workers.Select(settings => MeasuredService.StartAsync(program, _folder, ["--Worker:Threads=1", .. settings, .. Database])));
        try
        {
            await using var connection = Connection();
            await connection.OpenAsync();
            while (await CountAsync(connection, "state IN ('Queued', 'Running', 'Canceling')") > 0)
            {
                await Task.Delay(100);
            }

            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            long failed = await CountAsync(connection, "state <> 'Succeeded' AND id NOT LIKE 'job_7%'");
            Add(
                Text($"{sizes.Jobs} jobs worked off by two workers of one thread, their start included"),
                failed == 0 ? Text($"{sizes.Jobs / seconds:F1} a second, {seconds:F0} s") : Text($"{failed} failed"));
        }
        finally
        {
            foreach (var service in services)
            {
                await service.DisposeAsync();
            }
        }
    }

    private static async Task<long> CountAsync(DbConnection connection, string where)
    {
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // From this file only.
        command.CommandText = $"SELECT count(*) FROM job WHERE {where}";
#pragma warning restore CA2100
        return Convert.ToInt64(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture);
    }

    private DbConnection Connection() =>
        postgres is null ? new SqliteConnection($"Data Source={Path.Combine(_folder, "data", "condense.db")}") : new NpgsqlConnection(postgres);

    /// <summary>Copies of one of the rows, with other ids, states and metadata; the service sleeps.</summary>
    private async Task AddRowsAsync()
    {
        await using var connection = Connection();
        await connection.OpenAsync();
        var columns = new List<string>();
        await using (var probe = connection.CreateCommand())
        {
            probe.CommandText = "SELECT * FROM job LIMIT 0";
            await using var reader = await probe.ExecuteReaderAsync();
            columns.AddRange(Enumerable.Range(0, reader.FieldCount).Select(reader.GetName).Where(name => name is not ("id" or "state" or "lease_until")));
        }

        string series = Text($"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {sizes.Rows})");
        string id = postgres is null ? "printf('job_7%025d', i)" : "'job_7' || lpad(i::text, 25, '0')";
        const string State = "CASE WHEN i % 1000 = 0 THEN 'Failed' WHEN i % 10 = 0 THEN 'Canceled' ELSE 'Succeeded' END";
        string others = string.Join(", ", columns);
        await ExecuteAsync($"{series} INSERT INTO job (id, state, lease_until, {others}) SELECT {id}, {State}, 0, {others} FROM n, (SELECT * FROM job WHERE state = 'Queued' LIMIT 1) AS one");
        string value = postgres is null ? "CAST(i % 100 AS TEXT)" : "(i % 100)::text";
        await ExecuteAsync($"{series} INSERT INTO job_metadata (job_id, key, value) SELECT {id}, 'team', {value} FROM n");
        await ExecuteAsync("ANALYZE");

        async Task ExecuteAsync(string sql)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = sql;
            command.CommandTimeout = 600;
            await command.ExecuteNonQueryAsync();
        }
    }

    private async Task ListsAsync(string model)
    {
        await using var service = await MeasuredService.StartAsync(program, _folder, ["--Role=Api", .. Database]);
        string[] queries =
        [
            "", "state=succeeded", "state=failed", "state=running", $"model={model}", "model=mdl_00000000000000000000000000", $"model={model}&state=failed", "metadata.team=7", "metadata.team=none",
            "metadata.team=7&state=failed", "createdAfter=2020-01-01T00:00:00Z", "createdAfter=2090-01-01T00:00:00Z",
        ];
        foreach (string query in queries)
        {
            var milliseconds = new List<double>();
            var status = HttpStatusCode.OK;
            for (int i = 0; i < ListRequests && status == HttpStatusCode.OK; i++)
            {
                long start = Stopwatch.GetTimestamp();
                using var response = await service.Http.GetAsync(Address($"/v1/jobs?{query}"));
                await response.Content.ReadAsByteArrayAsync();
                milliseconds.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                status = response.StatusCode;
            }

            // The first few compile the query.
            var warm = milliseconds.Skip(20).DefaultIfEmpty(0).ToList();
            Add(
                Text($"`GET /jobs?{query.Replace(model, "…", StringComparison.Ordinal)}`, {sizes.Rows + sizes.Jobs} rows"),
                status == HttpStatusCode.OK ? Text($"p50 {Quantile(warm, 0.5):F1} ms, p99 {Quantile(warm, 0.99):F1} ms") : Text($"answered {(int)status}"));
        }
    }

    /// <summary>A safetensors file of one tensor, about that long, of numbers that a compressor would not shrink to nothing.</summary>
    private static void WriteModel(string path, long bytes)
    {
        long rows = bytes / (4 * 64);
        string header = $$"""{"weight":{"dtype":"F32","shape":[{{rows}},64],"data_offsets":[0,{{rows * 256}}]} }""";
        using var file = File.Create(path, 1 << 20);
        file.Write(BitConverter.GetBytes((long)header.Length));
        file.Write(Encoding.ASCII.GetBytes(header));
        var random = new Random(1);
        byte[] block = new byte[1 << 20];
        for (long left = rows * 256; left > 0; left -= block.Length)
        {
            for (int i = 0; i < block.Length; i += 4)
            {
                BitConverter.TryWriteBytes(block.AsSpan(i), random.NextSingle() - 0.5f);
            }

            file.Write(block, 0, (int)Math.Min(left, block.Length));
        }
    }
}
