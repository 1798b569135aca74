# The service and the command line in one image.
#
#   docker build -t condense .
#   docker run --network host -v condense-data:/data condense
#
# --network host: this version has no keys and binds to loopback alone, so a published port would reach nothing.

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
ENV DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

# Packages are a layer of their own: it is built again only when a project file or a version changes.
COPY global.json Directory.Build.props Directory.Packages.props .editorconfig BannedSymbols.txt ./
COPY src/Engine/Engine.csproj src/Engine/
COPY src/Models/Models.csproj src/Models/
COPY src/Execution/Execution.csproj src/Execution/
COPY src/Pipeline/Pipeline.csproj src/Pipeline/
COPY src/Service/Service.csproj src/Service/
COPY src/Cli/Cli.csproj src/Cli/
RUN dotnet restore src/Service && dotnet restore src/Cli

COPY src/ src/
RUN dotnet publish src/Service --configuration Release --no-restore --output /app/service \
 && dotnet publish src/Cli --configuration Release --no-restore --output /app/cli

FROM mcr.microsoft.com/dotnet/aspnet:10.0
# A new named volume takes over the owner of the folder that it is mounted on.
RUN mkdir /data && chown "$APP_UID" /data
COPY --from=build /app /app
# The base image asks for port 8080 on every address; the service would refuse.
ENV ASPNETCORE_HTTP_PORTS= ASPNETCORE_URLS=http://127.0.0.1:8080 Storage__Folder=/data
WORKDIR /data
VOLUME /data
USER $APP_UID
# The image has no HTTP client: bash opens the connection itself.
HEALTHCHECK --start-period=10s --interval=10s --timeout=3s \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /readyz HTTP/1.0\\r\\nHost: 127.0.0.1\\r\\n\\r\\n' >&3 && grep -q '^HTTP/1.* 200 ' <&3"]
ENTRYPOINT ["dotnet", "/app/service/Condense.Service.dll"]
