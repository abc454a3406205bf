// A resource server in Java: Spring Security's decoder (https://spring.io/projects/spring-security), which is Nimbus JOSE + JWT
// underneath, decides about each access token. It listens on a free port of loopback and says where.

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
// ANCHOR: imports
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import org.springframework.security.oauth2.core.DelegatingOAuth2TokenValidator;
import org.springframework.security.oauth2.jose.jws.SignatureAlgorithm;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtAudienceValidator;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtException;
import org.springframework.security.oauth2.jwt.JwtIssuerValidator;
import org.springframework.security.oauth2.jwt.JwtTimestampValidator;
import org.springframework.security.oauth2.jwt.JwtTypeValidator;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
// ANCHOR_END: imports

class Api {
    // ANCHOR: decoder
    static JwtDecoder decoder(String issuer, String audience, Clock clock) {
        var decoder = NimbusJwtDecoder.withIssuerLocation(issuer)
            .jwsAlgorithm(SignatureAlgorithm.RS256)
            // The decoder knows the type `JWT` alone. RFC 9068 has another, which is looked for below.
            .validateType(false)
            .build();
        var time = new JwtTimestampValidator(Duration.ofMinutes(1));
        time.setClock(clock);
        decoder.setJwtValidator(new DelegatingOAuth2TokenValidator<Jwt>(List.of(
            new JwtTypeValidator("at+jwt"),
            new JwtIssuerValidator(issuer),
            new JwtAudienceValidator(audience),
            time)));
        return decoder;
    }
    // ANCHOR_END: decoder

    public static void main(String[] words) throws IOException {
        var issuer = words[0];
        var audience = words[1];
        var server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        var now = Clock.systemUTC();
        var strict = decoder(issuer, audience, now);
        // Half an hour from now, when no access token of today is good any more.
        var later = decoder(issuer, audience, Clock.offset(now, Duration.ofMinutes(30)));
        server.createContext("/charts", exchange -> answer(exchange, strict));
        server.createContext("/charts-later", exchange -> answer(exchange, later));
        server.start();
        System.out.println("Ready: http://127.0.0.1:" + server.getAddress().getPort());
    }

    static void answer(HttpExchange exchange, JwtDecoder decoder) throws IOException {
        var authorization = exchange.getRequestHeaders().getFirst("Authorization");
        int status = 200;
        String said;
        try {
            var jwt = decoder.decode(authorization.replaceFirst("^Bearer ", ""));
            said = jwt.getSubject() + " " + jwt.getClaimAsString("scope");
        } catch (JwtException refused) {
            status = 401;
            said = refused.getMessage();
        }
        var body = said.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }
}
