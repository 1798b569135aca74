using Microsoft.Playwright;
using Xunit;

namespace Condense.Service.Tests.Jobs;

public sealed class ReportPageTests(RunningService service) : IClassFixture<RunningService>
{
    private const int Narrow = 360;
    private const int Wide = 1400;
    private const int Height = 1000;
    private const int PictureWidth = 1100;
    private const int PictureHeight = 1480;

    private static readonly string[] s_sections =
        ["What it cost", "Good to know", "Where the bytes are", "What each layer lost", "Spectra", "Layers", "How it was made"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_sample_s_report_is_whole_from_the_service_and_from_a_file_without_a_network()
    {
        await using var chromium = await Chromium.StartAsync();
        string model = await service.Api.AddModelAsync(await File.ReadAllBytesAsync(SampleModels.Path, Cancellation));
        using var counted = await service.Api.SendAsync(HttpMethod.Post, "/v1/datasets", ApiClient.Json(await File.ReadAllTextAsync(Path.Combine(Path.GetDirectoryName(SampleModels.Path)!, "vocab.json"), Cancellation)));
        string frequencies = (string)(await ApiClient.CreatedAsync(counted))["id"]!;

        // The rule sees to it that a spectrum is cut somewhere, whatever the planner thinks best.
        string id = await service.Api.AddJobAsync(
            $$"""{"model":"{{model}}","target":{"ratio":8},"frequencies":"{{frequencies}}","layers":[{"match":"decoder*","method":"low-rank"}]}""");
        await service.Api.EndAsync(id);
        string file = await SaveAsync(id);

        await using var offline = await chromium.Browser.NewContextAsync(new() { Offline = true });
        await using var online = await chromium.Browser.NewContextAsync();
        string served = new Uri(service.Address, $"/v1/jobs/{id}/report").ToString();
        foreach (var (context, address) in new[] { (offline, new Uri(file).ToString()), (online, served) })
        {
            var page = await OpenAsync(context, address);
            Assert.Equal(s_sections, await page.Locator("h2").AllInnerTextsAsync());
            Assert.Equal(2, await page.Locator("svg.map").CountAsync());
            Assert.True(await page.Locator(".bars li .weighted").First.IsVisibleAsync(), "The errors weighted by frequencies are not shown.");
            Assert.True(await page.Locator("svg.plot path.cut").CountAsync() > 0, "No spectrum shows where it was cut.");
            var report = await service.Api.GetAsync($"/v1/jobs/{id}/report");
            Assert.Equal(report["layers"]!.AsArray().Select(layer => (string)layer!["name"]!), await page.Locator("tbody th bdi").AllInnerTextsAsync());

            // The page's own stylesheet works under its own policy: without it, nothing would lie side by side.
            Assert.Equal("grid", await page.EvaluateAsync<string>("() => getComputedStyle(document.querySelector('.figures')).display"));
            foreach (int width in new[] { Wide, Narrow })
            {
                await page.SetViewportSizeAsync(width, Height);
                Assert.True(await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth") <= width, $"The page is wider than {width}.");
            }

            await page.SetViewportSizeAsync(PictureWidth, PictureHeight);
            await page.ScreenshotAsync(new() { Path = Chromium.Picture("report.png") });
        }
    }

    [Fact]
    public async Task Maps_have_the_areas_of_the_files()
    {
        await using var chromium = await Chromium.StartAsync();
        string id = await service.Api.AddJobAsync(await service.Api.AddModelAsync(SampleModels.Layers(5, 96, 64)), 3);
        await service.Api.EndAsync(id);
        await using var context = await chromium.Browser.NewContextAsync();
        var page = await OpenAsync(context, new Uri(await SaveAsync(id)).ToString());
        double[] areas = await page.EvaluateAsync<double[]>(
            """
            () => [...document.querySelectorAll('svg.map')].map(map => {
              const whole = map.getBoundingClientRect();
              return [...map.querySelectorAll('rect.tile')].map(tile => tile.getBoundingClientRect()).reduce((sum, box) => sum + box.width * box.height, 0) / (whole.width * whole.height);
            })
            """);
        double ratio = (double)(await service.Api.GetAsync($"/v1/jobs/{id}/report"))["ratio"]!;
        Assert.Equal(1, areas[0], 0.01);
        Assert.Equal(1 / ratio, areas[1], 0.01);
    }

    [Fact]
    public async Task Names_from_a_file_do_nothing_in_the_page()
    {
        await using var chromium = await Chromium.StartAsync();
        string[] names =
        [
            "<script>document.title='attacked'</script>.weight",
            "\"><img src=x onerror=\"document.title='attacked'\">.weight",
            "</style></title><svg onload=\"document.title='attacked'\">.weight",
            "\r\nSet-Cookie: attacked=1.weight",
            "\u202Ethgiew.gnp\u2066.weight",
            $"{new string('n', 60_000)}.weight",
        ];
        string id = await service.Api.AddJobAsync(await service.Api.AddModelAsync(SampleModels.Named(names)), 1.5);
        Assert.Equal("succeeded", (string?)(await service.Api.EndAsync(id))["state"]);
        await using var context = await chromium.Browser.NewContextAsync();
        foreach (string address in new[] { new Uri(await SaveAsync(id)).ToString(), new Uri(service.Address, $"/v1/jobs/{id}/report").ToString() })
        {
            var page = await OpenAsync(context, address);
            Assert.EndsWith("smaller · Condense report", await page.TitleAsync(), StringComparison.Ordinal);
            Assert.Equal(names.Length, await page.Locator("tbody th bdi").CountAsync());
            Assert.Contains(names[0], await page.Locator("tbody th bdi").AllInnerTextsAsync());
            Assert.Equal(0, await page.Locator("script, img, iframe, [onload], [onerror]").CountAsync());
            Assert.Empty(await context.CookiesAsync());
        }
    }

    private async Task<string> SaveAsync(string id)
    {
        using var response = await service.Api.SendAsync(HttpMethod.Get, $"/v1/jobs/{id}/report", null, ("Accept", "text/html"));
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.StartsWith("default-src 'none'; style-src 'sha256-", response.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Contains("Accept", response.Headers.Vary);
        string path = Path.Combine(service.Folder, $"{id}.html");
        await File.WriteAllBytesAsync(path, await response.Content.ReadAsByteArrayAsync(Cancellation), Cancellation);
        return path;
    }

    /// <summary>Opens a page that asks for nothing but itself and complains of nothing.</summary>
    private static async Task<IPage> OpenAsync(IBrowserContext context, string address)
    {
        var page = await context.NewPageAsync();
        var complaints = new List<string>();
        page.Console += (_, message) => complaints.Add(message.Text);
        page.PageError += (_, error) => complaints.Add(error);
        page.Dialog += (_, dialog) => complaints.Add(dialog.Message);
        page.Request += (_, request) =>
        {
            if (!string.Equals(request.Url, address, StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal))
            {
                complaints.Add(request.Url);
            }
        };
        await page.GotoAsync(address);
        await page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        Assert.Empty(complaints);
        return page;
    }
}
