using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Condense.Service.Tests.Hosting;

public sealed class StartupTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("condense-start-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_taken_port_is_one_line_that_names_it_and_the_cure()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        int port = ((IPEndPoint)other.LocalEndpoint).Port;
        await using var service = ServiceProcess.Start(_folder, port);
        var (code, errors) = await service.ExitAsync();
        Assert.NotEqual(0, code);
        Assert.Contains($"Port {port}", errors, StringComparison.Ordinal);
        Assert.Contains("--urls", errors, StringComparison.Ordinal);
        Assert.Single(errors.Trim().Split('\n'));
    }

    [Theory]
    [InlineData("http://0.0.0.0:0")]
    [InlineData("http://*:0")]
    [InlineData("http://192.168.7.7:0")]
    public async Task An_address_that_others_can_reach_needs_a_key(string url)
    {
        await using var service = ServiceProcess.Start(_folder, 0, "--urls", url);
        var (code, errors) = await service.ExitAsync();
        Assert.NotEqual(0, code);
        Assert.Contains("there is no key yet", errors, StringComparison.Ordinal);
        Assert.Contains("keys create", errors, StringComparison.Ordinal);
        Assert.Single(errors.Trim().Split('\n'));
    }

    [Fact]
    public async Task An_address_that_others_can_reach_is_not_opened_to_everybody()
    {
        await using var service = ServiceProcess.Start(_folder, 0, "--urls", "http://0.0.0.0:0", "--Access:Keys=off");
        var (code, errors) = await service.ExitAsync();
        Assert.NotEqual(0, code);
        Assert.Contains("Access:Keys=off", errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder, "data")));
    }

    [Theory]
    [InlineData("--Access:BootstrapKey=secret", "holds no key")]
    [InlineData("--Access:BootstrapKeyFile=missing", "can't be read")]
    [InlineData("--Access:Keys=never", "Access:Keys")]
    public async Task A_first_key_that_can_not_be_used_is_named(string setting, string words)
    {
        await using var service = ServiceProcess.Start(_folder, 0, setting);
        var (code, errors) = await service.ExitAsync();
        Assert.NotEqual(0, code);
        Assert.Contains(words, errors, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", errors.Replace("BootstrapKey=secret", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_process_on_the_same_folder_is_refused()
    {
        await using var first = await ServiceProcess.StartReadyAsync(_folder);
        await using var second = ServiceProcess.Start(_folder, 0);
        var (code, errors) = await second.ExitAsync();
        Assert.NotEqual(0, code);
        Assert.Contains("Another process uses the data folder", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_setting_out_of_bounds_is_named()
    {
        await using var service = ServiceProcess.Start(_folder, 0, "--Worker:Concurrency=0");
        var (code, errors) = await service.ExitAsync();
        Assert.NotEqual(0, code);
        Assert.Contains("Concurrency", errors, StringComparison.Ordinal);
    }
}
