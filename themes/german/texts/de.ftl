# Deutsche Texte, als Beispiel einer weiteren Sprache. Was hier fehlt, steht auf den Seiten in Englisch: der Postausgang der
# Vorführung, den niemand außer Entwicklern sieht.

### Rahmen

skip = Zum Inhalt springen
demo = Dies ist eine Vorführung. Geben Sie keine echten Daten ein.
tagline = Eine Anmeldung öffnet alle Räume Ihrer Praxis.
signed-in-as = Angemeldet als
need-help = Brauchen Sie Hilfe? Fragen Sie
continue = Weiter
back = Zurück
to-continue-to = um mit { $application } fortzufahren
to-dashboard = Zu Ihren Anwendungen
back-to-application = Zurück zur Anwendung
another-account = Anderes Konto verwenden
change-password = Passwort ändern
sign-out = Abmelden
session-heading = Sind Sie noch da?
session-heading-fixed = Ihre Sitzung endet bald
session-text = Hier ist eine Weile nichts geschehen. Zu Ihrem Schutz werden Sie um { $time } abgemeldet.
session-text-fixed = Eine Sitzung endet nach einigen Stunden, was auch immer darin geschieht: Ihre um { $time }. Schließen Sie ab, woran Sie gerade arbeiten, und melden Sie sich dann wieder an.
stay = Angemeldet bleiben
ask-for-access = Den Zugang gibt Ihnen
ask-for-access-unnamed = Den Zugang gibt Ihnen, wer in Ihrer Praxis die Anmeldung verwaltet.
ask-to-go-on = Um heute weiterzukommen, fragen Sie
ask-to-go-on-unnamed = Um heute weiterzukommen, wenden Sie sich an die Person, die in Ihrer Praxis die Anmeldung verwaltet.

### Anmeldung

sign-in-title = Anmelden
sign-in-button = Anmelden
email-label = Ihre E-Mail-Adresse
email-missing = Geben Sie Ihre E-Mail-Adresse ein
password-label = Ihr Passwort
password-missing = Geben Sie Ihr Passwort ein
show-password = Zeigen
hide-password = Verbergen
forgot-password = Passwort vergessen
complete-registration = Registrierung abschließen
invited = Eingeladen, aber noch nicht registriert?
other-ways = Andere Wege
sign-in-problem-heading =
    { $problem ->
        [refused] Die Anmeldung ist fehlgeschlagen
        [locked-here] Die Anmeldung ist hier gesperrt
        [no-cookies] Ihr Browser behält keine Cookies
        [busy] Gerade melden sich viele Personen an
        [missing] Es fehlt noch etwas
       *[stale] Diese Seite war nicht mehr aktuell
    }
sign-in-problem-text =
    { $problem ->
        [refused] Prüfen Sie E-Mail-Adresse und Passwort und versuchen Sie es noch einmal, oder lesen Sie unten, woran es liegen kann.
        [locked-here] Auf diesem Gerät oder einem anderen wurde zu oft ein falsches Passwort eingegeben. Warten hebt die Sperre nicht auf, das neue Passwort schon, das Sie mit „Passwort vergessen“ wählen.
        [no-cookies] Ihr Passwort war richtig, aber ohne Cookie kann niemand angemeldet werden. Erlauben Sie Cookies für diese Seite und melden Sie sich noch einmal an.
        [busy] An Ihrer Eingabe liegt es nicht. Bitte versuchen Sie es gleich noch einmal.
       *[stale] Es ist nichts verloren. Bitte geben Sie Ihr Passwort ein und melden Sie sich noch einmal an.
    }
sign-in-limited-heading = Zu viele Anmeldungen auf einmal
sign-in-limited-text =
    { $minutes ->
        [one] Aus Ihrem Netz kamen zu viele Anmeldungen. Bitte warten Sie eine Minute und versuchen Sie es dann noch einmal.
       *[other] Aus Ihrem Netz kamen zu viele Anmeldungen. Bitte warten Sie { $minutes } Minuten und versuchen Sie es dann noch einmal.
    }
sign-in-new-browsers-text =
    { $minutes ->
        [one] Bei diesem Konto gab es zu viele Anmeldungen von neuen Browsern. Versuchen Sie es in einer Minute noch einmal, oder nehmen Sie einen Browser, in dem Sie schon einmal angemeldet waren.
       *[other] Bei diesem Konto gab es zu viele Anmeldungen von neuen Browsern. Versuchen Sie es in { $minutes } Minuten noch einmal, oder nehmen Sie einen Browser, in dem Sie schon einmal angemeldet waren.
    }
sign-in-notice =
    { $notice ->
        [signed-out] Sie sind abgemeldet.
        [session-ended] Sie wurden abgemeldet, weil eine Weile nichts geschehen ist. Bitte melden Sie sich wieder an.
        [session-too-old] Sie wurden abgemeldet, weil eine Sitzung nach einigen Stunden endet, was auch immer darin geschieht. Bitte melden Sie sich wieder an.
        [password-changed] Ihr Passwort ist geändert. Bitte melden Sie sich mit dem neuen an.
        [another-account-since] In diesem Browser war inzwischen ein anderes Konto in Gebrauch. Bitte geben Sie Ihr Passwort ein, um fortzufahren.
       *[reauthenticate] Bitte melden Sie sich noch einmal an, um zu bestätigen, dass Sie es sind.
    }
help-heading = Woran es liegen kann
help-mistyped = Ein Tippfehler
help-mistyped-text = Beim Passwort kommt es auf Groß- und Kleinschreibung an. Sehen Sie nach, ob die Feststelltaste aus ist.
help-other-account = Ein anderes Konto
help-other-account-text = Melden Sie sich mit der Adresse an, an die Ihre Praxis die Einladung geschickt hat.
help-locked = Vergessen oder gesperrt
help-locked-text = Zu viele falsche Passwörter sperren ein Konto. Nur ein neues Passwort hebt die Sperre auf:
help-unregistered = Nicht fertig registriert
help-unregistered-text = Ein Konto funktioniert, sobald alle Schritte der Einladung erledigt sind:

### Konten und Übersicht

choose-account-title = Konto wählen
dashboard-title = Ihre Anwendungen
welcome = Willkommen, { $name }
applications = Anwendungen
password-expires =
    { $days ->
        [0] Ihr Passwort läuft heute ab.
        [one] Ihr Passwort läuft morgen ab.
       *[other] Ihr Passwort läuft in { $days } Tagen ab.
    }
password-expires-text = Ändern Sie es jetzt, damit Sie ohne Unterbrechung weiterarbeiten können.
no-tiles-heading = Noch keine Anwendungen
no-tiles-text = Ihr Konto funktioniert, aber noch keine Anwendung Ihrer Praxis ist dafür freigegeben.

### Zustimmung

consent-title = { $application } erlauben?
consent-host = Gehört zu { $host }.
consent-changed = { $application } hat sich geändert, seit diese Seite gezeigt wurde, und Ihre Antwort wurde nicht übernommen. Bitte lesen Sie noch einmal, was Sie erlauben würden und zu wem es gehört.
consent-sign-out = { $host } wird benachrichtigt, wenn Sie sich abmelden.
consent-text = { $application } möchte:
consent-documents = Über { $application }
scope =
    { $scope ->
        [openid] wissen, welches Konto der Praxis Ihres ist
        [profile] Ihren Namen und Ihr Profil sehen
        [email] Ihre E-Mail-Adresse sehen
        [address] Ihre Postanschrift sehen
        [phone] Ihre Telefonnummer sehen
        [groups] sehen, zu welchen Gruppen der Praxis Sie gehören
       *[offline-access] diesen Zugang behalten, auch wenn Sie abgemeldet sind
    }
scope-other = „{ $scope }“ verwenden
allow = Erlauben
deny = Ablehnen
privacy-policy = Datenschutzerklärung
terms-of-service = Nutzungsbedingungen

### Absagen und Umwege

not-entitled-title = Sie haben keinen Zugang zu { $application }
not-entitled-text = Sie sind angemeldet und Ihr Konto funktioniert, aber Ihre Praxis hat ihm keinen Zugang zu { $application } gegeben.
expired-title = Ihr Passwort ist abgelaufen
expired-text =
    { $days ->
        [one] Passwörter gelten hier einen Tag lang, und Ihres ist vom { $date }.
       *[other] Passwörter gelten hier { $days } Tage lang, und Ihres ist vom { $date }.
    }
expired-next = Wie es weitergeht
expired-step-code = Wir schicken einen Code an Ihr Telefon, um sicher zu sein, dass Sie es sind.
expired-step-password = Sie wählen ein neues Passwort.
expired-step-on = Sie kommen dorthin, wohin Sie wollten.

### Vergessenes Passwort

back-to-sign-in = Zurück zur Anmeldung
stale-text = Es ist nichts verloren. Bitte senden Sie das Formular noch einmal.
forgot-text = Geben Sie die Adresse ein, mit der Sie sich anmelden. Wir schicken ihr eine E-Mail, die zu einem neuen Passwort führt.
forgot-then = Danach geht es weiter zu { $application }.
asked-title = Sehen Sie in Ihr Postfach
asked-text = Wenn es für { $email } ein Konto gibt, ist eine E-Mail unterwegs.
asked-next =
    { $minutes ->
        [one] Folgen Sie dem Link darin, oder geben Sie hier den Code daraus ein. Beides gilt eine Minute lang.
       *[other] Folgen Sie dem Link darin, oder geben Sie hier den Code daraus ein. Beides gilt { $minutes } Minuten lang.
    }
asked-done = Ihr Passwort ist geändert. Sie können sich mit dem neuen anmelden.
asked-no-email = Noch keine E-Mail?
asked-no-email-text = Es kann einige Minuten dauern. Sehen Sie auch im Spam-Ordner nach, und prüfen Sie, ob die Adresse oben stimmt. Eine E-Mail, die kurz vorher kam, tut es auch: Ihr Link funktioniert hier ebenso.
asked-again = Noch eine E-Mail schicken
email-code-label = Code aus der E-Mail
email-code-hint = Zehn Zeichen. Kleinbuchstaben, Leerzeichen und der Strich spielen keine Rolle.
email-code-wrong = Das ist nicht der Code
email-code-wrong-text =
    { $minutes ->
        [one] Vergleichen Sie ihn mit der neuesten E-Mail. Ein Code gilt nur in dem Browser, in dem er angefordert wurde, und eine Minute lang.
       *[other] Vergleichen Sie ihn mit der neuesten E-Mail. Ein Code gilt nur in dem Browser, in dem er angefordert wurde, und { $minutes } Minuten lang.
    }
recovery-link-title = Ein neues Passwort setzen
recovery-link-text = Zuerst stellen wir mit einem Code an Ihr Telefon sicher, dass Sie es sind. Dann wählen Sie ein neues Passwort.
recovery-link-unexpected = Sie haben das nicht angefordert? Dann schließen Sie diese Seite: Es hat sich nichts geändert.

### Geheime Codes

verify-title = Bestätigen Sie, wer Sie sind
verify-text =
    { $reason ->
        [recovery] Bevor Sie ein neues Passwort wählen, stellen wir sicher, dass Sie es sind.
        [expired-password] Bevor Sie das abgelaufene Passwort ersetzen, stellen wir sicher, dass Sie es sind.
        [step-up] Was Sie öffnen, verlangt einen zweiten Nachweis, dass Sie es sind.
        [own-proofs] Um zu ändern, womit Sie sich ausweisen, geben Sie zuerst einen Code ein.
        [new-device] Mit diesem Browser haben Sie sich noch nie angemeldet. Deshalb stellen wir sicher, dass Sie es sind.
        [registration-resumed] Für diese Registrierung wurde schon ein Telefon bestätigt. Wir stellen sicher, dass es Ihres ist.
       *[registration] Wir stellen sicher, dass das Telefon Ihnen gehört.
    }
verify-question = Wie möchten Sie einen geheimen Code erhalten?
method =
    { $channel ->
        [text] SMS
        [call] Anruf
       *[totp] Authenticator-App
    }
method-to =
    { $landline ->
        [true] an das Festnetz { $number }
       *[false] an das Mobiltelefon { $number }
    }
method-totp = Die App zeigt Ihnen den Code.
send-code = Code senden
enter-code-title = Geben Sie Ihren Code ein
enter-code-text =
    { $channel ->
        [text] Wir haben eine SMS mit sechs Ziffern an { $number } geschickt.
        [call] Wir rufen { $number } an. Drücken Sie eine Taste, wenn Sie darum gebeten werden; dann hören Sie zweimal sechs Ziffern.
       *[totp] Öffnen Sie Ihre Authenticator-App und geben Sie die sechs Ziffern ein, die sie jetzt zeigt.
    }
enter-code-under-way =
    { $channel ->
        [text] Wir schicken eine SMS mit sechs Ziffern an { $number }.
       *[call] Wir bauen einen Anruf zu { $number } auf. Drücken Sie eine Taste, wenn Sie darum gebeten werden; dann hören Sie zweimal sechs Ziffern.
    }
enter-code-works =
    { $minutes ->
        [one] Sie gelten eine Minute lang.
       *[other] Sie gelten { $minutes } Minuten lang.
    }
code-label = Ihr Code
code-missing = Geben Sie den Code ein
code-problem-heading =
    { $problem ->
        [choose-method] Wählen Sie einen Weg
        [wrong] Das ist nicht der Code
        [expired] Dieser Code ist abgelaufen
        [used] Dieser Code wurde schon verwendet
        [budget-spent] Zu viele falsche Codes
        [wait] Einen Moment bitte
        [text-refused] Dieses Telefon nimmt keine SMS an
        [trying] Der Code ist noch nicht unterwegs
        [not-sent] Diese Nummer war nicht zu erreichen
       *[refused] An diese Nummer können wir gerade nicht senden
    }
code-problem-text =
    { $problem ->
        [choose-method] Wählen Sie, wie Sie den Code erhalten möchten.
        [expired] Fordern Sie unten einen neuen an.
        [text-refused] Wählen Sie stattdessen einen Anruf.
        [trying] Wir versuchen es weiter. Sie können warten und diese Seite neu laden, um zu sehen, was daraus geworden ist, oder einen anderen Weg wählen.
        [not-sent] Versuchen Sie es noch einmal, oder wählen Sie einen anderen Weg.
       *[refused] Wählen Sie einen anderen Weg, oder fragen Sie die Person, die in Ihrer Praxis die Anmeldung verwaltet.
    }
code-used-text = Jeder Code der App gilt einmal. Warten Sie, bis sie den nächsten zeigt, und geben Sie den ein.
code-wrong-text =
    { $left ->
        [0] Es bleibt kein Versuch mehr.
        [one] Vergleichen Sie ihn mit dem neuesten Code. Es bleibt noch ein Versuch.
       *[other] Vergleichen Sie ihn mit dem neuesten Code. Es bleiben noch { $left } Versuche.
    }
code-budget-text = Zum Schutz Ihres Kontos nehmen wir vorerst keine Codes mehr an. Wieder möglich ist es ab dem { $until }.
code-wait-text =
    { $minutes ->
        [one] Es wurden mehrere Codes angefordert. Bitte warten Sie eine Minute bis zum nächsten.
       *[other] Es wurden mehrere Codes angefordert. Bitte warten Sie { $minutes } Minuten bis zum nächsten.
    }
code-notice =
    { $notice ->
        [sent] Ein Code ist unterwegs.
       *[sent-again] Ein neuer Code ist unterwegs. Der alte gilt nicht mehr.
    }
resend-text = Noch kein Code? Ein neuer macht den alten ungültig.
resend-code = Code erneut senden
resend-wait =
    { $seconds ->
        [one] In einer Sekunde können Sie einen neuen Code anfordern.
       *[other] In { $seconds } Sekunden können Sie einen neuen Code anfordern.
    }
change-method = Anderen Weg wählen
use-another-phone = Anderes Telefon verwenden
no-phone-title =
    { $unreached ->
        [true] An Ihr Telefon kann kein Code gesendet werden
       *[false] Es gibt kein Telefon, an das ein Code gesendet werden kann
    }
no-phone-unreached = Um weiterzukommen, brauchen Sie einen Code, und diese Praxis sendet derzeit keine an ein Telefon wie Ihres. Mit Ihrem Konto ist alles in Ordnung.
no-phone-text =
    { $reason ->
        [recovery] Ein neues Passwort verlangt einen Code an Ihr Telefon, und Ihr Konto hat keines, das dafür verwendet werden kann.
        [expired-password] Ein abgelaufenes Passwort zu ersetzen verlangt einen Code an Ihr Telefon, und Ihr Konto hat keines, das dafür verwendet werden kann.
        [step-up] Was Sie öffnen, verlangt einen Code an Ihr Telefon, und Ihr Konto hat keines, das dafür verwendet werden kann.
        [own-proofs] Um zu ändern, womit Sie sich ausweisen, ist ein Code an Ihr Telefon nötig, und Ihr Konto hat keines, das dafür verwendet werden kann.
        [new-device] Die Anmeldung mit einem neuen Browser verlangt einen Code an Ihr Telefon, und Ihr Konto hat keines, das dafür verwendet werden kann.
       *[registration] Ihre Registrierung verlangt ein Telefon, und Ihr Konto hat keines, das dafür verwendet werden kann.
    }
no-phone-later = Ihrem Konto wurde vor Kurzem ein Telefon hinzugefügt. Codes können daran gesendet werden ab dem { $from }.
no-phone-next = Was Sie tun können
no-phone-step-visit = Gehen Sie persönlich zu der Person, die in Ihrer Praxis die Anmeldung verwaltet.
no-phone-step-register = Sie beginnt dort die Registrierung eines Telefons, und Sie schließen sie selbst ab.
no-phone-step-wait =
    { $days ->
        [one] Einen Tag später können Codes daran gesendet werden.
       *[other] { $days } Tage später können Codes daran gesendet werden.
    }
no-phone-step-tell = Sagen Sie der Person, die in Ihrer Praxis die Anmeldung verwaltet, dass Codes keine Telefone erreichen.
no-phone-step-mend = Sie bringt das in Ordnung; Ihr Konto bleibt, wie es ist.
no-phone-step-again = Beginnen Sie dann hier noch einmal.

### Neues Passwort

new-password-title =
    { $reason ->
        [registration] Wählen Sie ein Passwort
       *[other] Wählen Sie ein neues Passwort
    }
new-password-text =
    { $reason ->
        [recovery] Damit enden alle Sitzungen Ihres Kontos, auf allen Geräten. Danach melden Sie sich mit dem neuen Passwort an.
        [expired] Danach kommen Sie dorthin, wohin Sie wollten.
        [change] Hier bleiben Sie angemeldet; überall sonst werden Sie abgemeldet.
       *[registration] Damit und mit Ihrer E-Mail-Adresse melden Sie sich an.
    }
new-password-label = Neues Passwort
confirm-password-label = Neues Passwort wiederholen
new-password-missing = Geben Sie das neue Passwort zweimal ein
requirements-heading = Was das Passwort braucht
requirement-length = { $min } bis { $max } beliebige Zeichen
requirement-match = In beiden Feldern dasselbe
requirement-strength = Schwer zu erraten: kein verbreitetes Passwort, kein einfaches Muster
requirement-personal = Ohne Ihren Namen, Ihre E-Mail-Adresse und den Namen der Praxis
requirement-remembered =
    { $count ->
        [one] Ein anderes als Ihr letztes Passwort
       *[other] Ein anderes als Ihre letzten { $count } Passwörter
    }
requirement-met = erfüllt
password-problem-heading =
    { $problem ->
        [mismatch] Die beiden Eingaben stimmen nicht überein
        [too-short] Dieses Passwort ist zu kurz
        [too-long] Dieses Passwort ist zu lang
        [common] Dieses Passwort ist weithin bekannt
        [personal] Dieses Passwort verrät etwas über Sie
        [weak] Dieses Passwort ist leicht zu erraten
        [characters] Dieses Passwort enthält Zeichen, die man nicht sieht
        [used] Dieses Passwort hatten Sie schon einmal
        [current] Das ist Ihr jetziges Passwort
       *[too-young] Ihr Passwort wurde vor Kurzem geändert
    }
password-problem-text =
    { $problem ->
        [mismatch] Geben Sie das neue Passwort zweimal gleich ein.
        [common] Es steht auf den Listen, mit denen Angreifer beginnen. Wählen Sie ein anderes.
        [personal] Es enthält Ihren Namen, Ihre E-Mail-Adresse oder den Namen der Praxis. Wählen Sie ein anderes.
        [characters] Tippen Sie es neu ein, auf der Tastatur und ohne Zeichen von anderswo.
        [weak] Machen Sie es länger, oder setzen Sie mehrere Wörter zusammen, die nichts miteinander zu tun haben.
        [used] Wählen Sie eines, das Sie in letzter Zeit nicht verwendet haben.
       *[current] Wählen Sie ein anderes.
    }
password-length-text = Es braucht { $min } bis { $max } Zeichen.
password-young-text =
    { $hours ->
        [one] In einer Stunde kann es wieder geändert werden. Wenn es jemand anderes kennen könnte, nehmen Sie „Passwort vergessen“.
       *[other] In { $hours } Stunden kann es wieder geändert werden. Wenn es jemand anderes kennen könnte, nehmen Sie „Passwort vergessen“.
    }
password-changed-title = Ihr Passwort ist geändert
password-changed-text = Sie können sich mit dem neuen anmelden. Alle Adressen Ihres Kontos erfahren von der Änderung.
changed-then = Nach der Anmeldung geht es weiter zu { $application }.
waits-elsewhere = { $application } wartet in dem Browser, in dem Sie begonnen haben. Kehren Sie dorthin zurück, um dort fortzufahren, oder melden Sie sich hier an.
waits-elsewhere-unnamed = Die Anwendung wartet in dem Browser, in dem Sie begonnen haben. Kehren Sie dorthin zurück, um dort fortzufahren, oder melden Sie sich hier an.

### Registrierung

invitation-title = Willkommen
invitation-text = { $practice } lädt Sie zu ihren Anwendungen ein.
invitation-text-to = { $name }, { $practice } lädt Sie zu ihren Anwendungen ein.
invitation-address = Ist das Ihre E-Mail-Adresse? Mit ihr melden Sie sich an.
invitation-step-phone = Sie fügen ein Telefon hinzu, und wir senden ihm einen Code.
invitation-step-password = Sie wählen ein Passwort.
invitation-step-on = Sie sind angemeldet.
invitation-unexpected = Nicht Ihre Adresse? Dann schließen Sie diese Seite: Es hat sich nichts geändert.
add-phone-title = Telefon hinzufügen
phone-verified-title = Ihr Telefon ist bestätigt
phone-verified-text = Sie können weitermachen oder noch ein Telefon hinzufügen, falls Sie dieses einmal nicht zur Hand haben.
add-phone-text = Ein Code an Ihr Telefon zeigt, dass Sie es sind, zum Beispiel, wenn Sie Ihr Passwort vergessen haben. Für nichts anderes wird dort angerufen.
phones-heading = Ihre Telefone
phone-state =
    { $landline ->
        [true] { $verified ->
            [true] Festnetz, bestätigt
           *[false] Festnetz, noch nicht bestätigt
        }
       *[false] { $verified ->
            [true] Mobiltelefon, bestätigt
           *[false] Mobiltelefon, noch nicht bestätigt
        }
    }
verify-phone = Bestätigen
another-phone = Noch ein Telefon hinzufügen
add-phone = Telefon hinzufügen
phone-label = Telefonnummer
phone-hint = Mit der Vorwahl, zum Beispiel (202) 555‑0143.
phone-missing = Geben Sie die Telefonnummer ein
phone-kind-label = Was für ein Telefon ist es?
phone-kind-missing = Wählen Sie die Art des Telefons
phone-kind =
    { $kind ->
        [cell] Mobiltelefon
       *[landline] Festnetz
    }
phone-kind-text =
    { $kind ->
        [cell] Nimmt SMS und Anrufe an.
       *[landline] Nimmt nur Anrufe an.
    }
phone-cell-text =
    { $ways ->
        [texts] Der Code kommt als SMS.
        [calls] Der Code kommt durch einen Anruf.
       *[both] Nimmt SMS und Anrufe an.
    }
phone-problem-heading =
    { $problem ->
        [not-a-number] Das ist keine Telefonnummer
        [extension] Eine Nummer mit Durchwahl kann nicht verwendet werden
        [not-allowed] An diese Nummer senden wir keine Codes
        [unreached] An das Festnetz können wir keine Codes senden
       *[too-many] Es können keine weiteren Telefone hinzugefügt werden
    }
phone-problem-text =
    { $problem ->
        [not-a-number] Prüfen Sie die Ziffern, und geben Sie auch die Vorwahl ein.
        [extension] Der Code muss Sie unmittelbar erreichen. Geben Sie eine Nummer ein, die an Ihrem eigenen Telefon klingelt.
        [not-allowed] Sie liegt im Ausland, oder Anrufe dorthin kosten extra. Geben Sie eine andere ein, oder fragen Sie die Person, die in Ihrer Praxis die Anmeldung verwaltet.
        [unreached] Codes werden hier derzeit nicht durch Anrufe mitgeteilt. Geben Sie ein Mobiltelefon an.
       *[too-many] Nehmen Sie eines von denen unten, oder fragen Sie die Person, die in Ihrer Praxis die Anmeldung verwaltet.
    }
complete-text = Der Link in der E-Mail, mit der Sie eingeladen wurden, führt durch die Registrierung. Ist er verloren oder zu alt? Geben Sie Ihre Adresse ein, und wir schicken einen neuen.
complete-asked = Wenn auf { $email } eine Einladung wartet, ist eine E-Mail unterwegs.
complete-asked-next = Öffnen Sie den Link darin; Sie machen dort weiter, wo Sie aufgehört haben. Noch keine E-Mail? Es kann einige Minuten dauern. Sehen Sie auch im Spam-Ordner nach.

### Authenticator-Apps

factors-title = Authenticator-Apps
factors-text = Eine Authenticator-App zeigt jede halbe Minute einen neuen Code. Damit können Sie zeigen, dass Sie es sind, wenn eine Anwendung mehr als ein Passwort verlangt.
factor-added = Hinzugefügt am { $date }
factor-name = Authenticator-App { $number }
factor-later = Ihre Codes gelten ab dem { $from }.
factors-notice =
    { $notice ->
        [added] Die App ist hinzugefügt. Wir haben Ihnen das auch per E-Mail mitgeteilt.
        [not-there] Diese App war nicht mehr da. Es hat sich nichts geändert.
       *[removed] Die App ist entfernt. Wir haben Ihnen das auch per E-Mail mitgeteilt.
    }
factors-too-late-heading = Der Schlüssel wurde zu lange gezeigt
factors-too-late-text = Es hat sich nichts geändert. Beginnen Sie unten noch einmal; jedes Mal gibt es einen neuen Schlüssel.
factor-last = Sie ist der einzige Weg, zu zeigen, dass Sie es sind. Deshalb kann sie erst entfernt werden, wenn es einen anderen gibt.
factors-full = Es können keine weiteren Apps hinzugefügt werden. Entfernen Sie eine, die Sie nicht mehr verwenden.
no-factors = Sie haben noch keine hinzugefügt.
add-factor = Authenticator-App hinzufügen
remove = Entfernen
enrol-step-scan = Scannen Sie das Bild mit der App, oder tippen Sie den Schlüssel darunter in die App ein.
enrol-step-code = Geben Sie die sechs Ziffern ein, die die App dann zeigt.
enrol-qr = QR-Code mit dem Schlüssel, der darunter steht
enrol-secret = Der Schlüssel zum Abtippen:
enrol-wrong-text = Geben Sie die sechs Ziffern ein, die die App jetzt zeigt. Wenn das noch einmal geschieht, prüfen Sie, ob die Uhr Ihres Telefons richtig geht.

### Abmeldung

also-signed-in = Hier auch angemeldet:
sign-out-ends-all = „Abmelden“ meldet alle ab.
sign-out-people = Damit werden abgemeldet:
sign-out-stays-heading = Wir können Sie nicht zur Anwendung zurückschicken
sign-out-stays = Sie hat keine Adresse angegeben, die hier für sie eingetragen ist. Sie können sich abmelden und bleiben danach auf dieser Seite.
sign-out-title = Abmelden?
sign-out-text = Damit endet Ihre Sitzung hier und in jeder Anwendung, die Sie von hier aus geöffnet haben.
sign-out-text-from = { $application } bittet darum, Sie abzumelden. Damit endet Ihre Sitzung hier und in jeder Anwendung, die Sie von hier aus geöffnet haben.
signed-out-title = Sie sind abgemeldet
signed-out-text = Ihre Sitzung ist hier und in den Anwendungen beendet, die Sie von hier aus geöffnet haben.
signed-out-frame = Beendet die Sitzung in einer Anwendung
back-to = Zurück zu { $application }
sign-in-again = Wieder anmelden

### Fehler

error-heading =
    { $kind ->
        [unknown-client] Diese Anwendung ist hier nicht bekannt
        [application-gone] Die Anwendung gibt es nicht mehr
        [redirect-uri-mismatch] Die Anwendung nannte eine Rücksprungadresse, die nicht eingetragen ist
        [invalid-request] Die Anwendung schickte eine Anfrage, die nicht zu gebrauchen ist
        [nothing-ended] Hier wurde nichts beendet
        [interaction-expired] Diese Anmeldung hat zu lange gedauert
        [answered-before] Diese Anmeldung ist schon abgeschlossen
        [not-asked-here] Dieser Browser hat die E-Mail nicht angefordert
        [registration-interrupted] Ihre Registrierung wurde unterbrochen
        [link-dead] Dieser Link funktioniert nicht mehr
        [stale-form] Diese Seite war nicht mehr aktuell
        [no-cookies] Ihr Browser behält keine Cookies
        [another-person] Diese Seite gehört zu einer früheren Anmeldung
        [cross-site] Die Anfrage kam von einer anderen Website
        [not-found] Unter dieser Adresse gibt es nichts
        [method-not-allowed] So lässt sich diese Seite nicht verwenden
        [too-large] Das war zu viel auf einmal
        [too-slow] Ihre Verbindung war zu langsam
        [rate-limited] Zu viele Anfragen
        [busy] Gerade ist sehr viel los
        [unavailable] Die Anmeldung ist gerade nicht verfügbar
        [misdirected-host] Das ist nicht die richtige Adresse
       *[internal] Bei uns ist etwas schiefgegangen
    }
error-text =
    { $kind ->
        [unknown-client] Der Link, der Sie hierher gebracht hat, nennt eine Anwendung, die Ihre Praxis nicht eingerichtet hat. Öffnen Sie sie stattdessen über Ihre Anwendungen.
        [application-gone] Ihre Praxis hat sie entfernt oder geändert, während Sie auf dem Weg dorthin waren. Sie haben nichts falsch gemacht. Zu Ihren anderen Anwendungen geht es weiter.
        [redirect-uri-mismatch] Damit Ihre Anmeldung sicher bleibt, schicken wir Sie nicht dorthin. Wer die Anwendung betreibt, muss ihre Einstellungen berichtigen.
        [invalid-request] Etwas daran fehlt oder passt nicht zusammen. Wer die Anwendung betreibt, muss das berichtigen; Sie haben nichts falsch gemacht.
        [nothing-ended] In diesem Browser ist niemand angemeldet, und die Anfrage nennt keine Sitzung, die noch läuft.
        [interaction-expired] Die Anfrage der Anwendung ist abgelaufen oder wurde schon in einem anderen Fenster beantwortet. Öffnen Sie die Anwendung noch einmal, um neu zu beginnen.
        [answered-before] Die Anwendung hat ihre Antwort schon, von hier oder aus einem anderen Fenster, und bekommt keine zweite. Öffnen Sie die Anwendung noch einmal, wenn Sie dort weitermachen möchten.
        [not-asked-here] Der Code daraus kann nur in dem Browser eingegeben werden, der ihn angefordert hat. Falls es dieser war, wurden seine Cookies gelöscht, oder es ist zu lange her. Der Link in der E-Mail funktioniert auch hier: Öffnen Sie ihn, oder fordern Sie einen neuen an.
        [registration-interrupted] Dieser Browser weiß nicht mehr, wie weit Sie gekommen waren: Es hat zu lange gedauert, seine Cookies wurden gelöscht, oder Sie haben in einem anderen Fenster weitergemacht. Was Sie eingegeben haben, ist aufgehoben. Öffnen Sie den Link in Ihrer Einladung noch einmal, dann machen Sie dort weiter, wo Sie aufgehört haben; oder fordern Sie einen neuen an.
        [link-dead] Er wurde schon verwendet, ist abgelaufen, oder ein neuerer ist an seine Stelle getreten. Es hat sich nichts geändert.
        [stale-form] Sie wurde vor längerer Zeit geöffnet, oder Sie haben sich inzwischen in einem anderen Fenster an- oder abgemeldet. Es hat sich nichts geändert. Öffnen Sie sie noch einmal und wiederholen Sie, was Sie vorhatten.
        [no-cookies] Ohne Cookie kann dieser Browser von hier aus nicht weitergeleitet werden. Es hat sich nichts geändert, und Ihr Link funktioniert noch. Erlauben Sie Cookies für diese Seite und versuchen Sie es noch einmal, oder öffnen Sie den Link in einem anderen Browser.
        [cross-site] Zu Ihrer Sicherheit nehmen wir nur an, was Sie auf unseren eigenen Seiten eingeben. Es hat sich nichts geändert.
        [not-found] Vielleicht ist die Adresse falsch geschrieben, oder die Seite ist umgezogen.
        [method-not-allowed] Das kann nach „Zurück“ oder „Neu laden“ geschehen. Es hat sich nichts geändert.
        [too-large] Ihr Browser hat mehr geschickt, als diese Seite annimmt. Es hat sich nichts geändert.
        [too-slow] Nicht alles, was Ihr Browser schickt, kam rechtzeitig an. Es hat sich nichts geändert. Bitte versuchen Sie es noch einmal.
        [busy] An Ihrer Eingabe liegt es nicht. Bitte versuchen Sie es gleich noch einmal.
        [unavailable] An Ihrer Eingabe liegt es nicht. Versuchen Sie es in einigen Minuten noch einmal.
        [misdirected-host] Anteroom antwortet unter einem anderen Namen. Verwenden Sie den Link oder das Lesezeichen, das Sie von Ihrer Praxis haben.
       *[internal] Es liegt nicht an Ihnen, und Ihr Konto ist, wie es war. Bitte versuchen Sie es noch einmal; wenn es wieder geschieht, nennen Sie Ihrer Ansprechperson die Referenz.
    }
error-another-person-text = Sie sind jetzt als { $person } angemeldet. Die Seite wurde vorher geöffnet, und es hat sich nichts geändert. Öffnen Sie sie noch einmal, um als { $person } fortzufahren.
error-limited-text =
    { $minutes ->
        [one] Aus Ihrem Netz kamen zu viele Anfragen. Bitte warten Sie eine Minute und versuchen Sie es dann noch einmal.
       *[other] Aus Ihrem Netz kamen zu viele Anfragen. Bitte warten Sie { $minutes } Minuten und versuchen Sie es dann noch einmal.
    }
forward =
    { $kind ->
        [sign-in] Zur Anmeldung
        [dashboard] Zu Ihren Anwendungen
        [recover] Neu anfordern
        [application] Zurück zur Anwendung
       *[try-again] Noch einmal versuchen
    }
error-return-heading = Diese Anwendung konnte Sie nicht anmelden
error-return-text = In der Anfrage der Anwendung ist ein Fehler. Es wurde nichts geändert. Die Anwendung möchte, dass Sie jetzt zu { $host } gehen.
error-return-next = Ihre Praxis hat diese Anwendung nicht eingerichtet. Wenn Sie { $host } nicht kennen, gehen Sie nicht dorthin.
error-return-button = Zu { $host } gehen
reference = Referenz:
reference-text = Damit kann Ihre Ansprechperson sehen, was geschehen ist.

### Rückkehr zu einer Anwendung

form-post-title = Einen Moment
form-post-text = Sie sind auf dem Weg zurück zur Anwendung.
form-post-text-to = Sie sind auf dem Weg zurück zu { $application }.

### Zeiten

month =
    { $month ->
        [1] Januar
        [2] Februar
        [3] März
        [4] April
        [5] Mai
        [6] Juni
        [7] Juli
        [8] August
        [9] September
        [10] Oktober
        [11] November
       *[12] Dezember
    }
date = { $day }. { month } { $year }
moment = { date } um { $hour }:{ $minute } Uhr ({ $zone })

### E-Mails

email-automatic = Diese Nachricht kommt vom Anmeldedienst von { $practice }, wo Sie ein Konto oder eine Einladung haben. Fragen? Wenden Sie sich an die Praxis.
email-link-instead = Wenn die Schaltfläche nicht funktioniert, kopieren Sie diese Adresse in Ihren Browser:
email-invitation-subject = Ihre Einladung zu { $practice }
email-invitation-greeting = Guten Tag { $name },
email-invitation-text = { $practice } lädt Sie zu ihren Anwendungen ein. Schließen Sie zuerst Ihre Registrierung ab: Sie bestätigen diese Adresse, fügen ein Telefon hinzu und wählen ein Passwort.
email-invitation-button = Registrierung abschließen
email-invitation-days =
    { $days ->
        [one] Der Link gilt einen Tag lang.
       *[other] Der Link gilt { $days } Tage lang.
    }
email-invitation-unexpected = Wenn Sie diese Einladung nicht erwartet haben, brauchen Sie nichts zu tun.
email-locked-subject = Zu viele falsche Passwörter für Ihr Konto bei { $practice }
email-locked-greeting = Guten Tag,
email-locked-text = Für Ihr Konto bei { $practice } wurden zu viele falsche Passwörter eingegeben, das letzte am { $when }. Die Anmeldung kann nun gesperrt sein, in einigen Browsern oder in allen.
email-locked-next = Um dort wieder hineinzukommen, wo sie gesperrt ist, wählen Sie ein neues Passwort. Eine Sperre endet nicht von selbst, und niemand kann sie für Sie aufheben.
email-locked-button = Neues Passwort wählen
email-locked-unexpected = Wenn Sie das nicht waren, hat vielleicht jemand versucht, Ihr Passwort zu erraten. Es ist nicht gelungen; mit einem neuen Passwort bleibt es dabei.
email-recovery-subject = Ein neues Passwort für { $practice }
email-recovery-text = Jemand, wahrscheinlich Sie, hat ein neues Passwort für Ihr Konto bei { $practice } angefordert.
email-recovery-button = Neues Passwort setzen
email-recovery-code = Oder geben Sie diesen Code auf der Seite ein, auf der Sie ihn angefordert haben:
email-recovery-minutes =
    { $minutes ->
        [one] Link und Code gelten eine Minute lang, und einmal.
       *[other] Link und Code gelten { $minutes } Minuten lang, und einmal.
    }
email-recovery-unexpected = Wenn Sie es nicht waren, brauchen Sie nichts zu tun: Ohne einen Code an Ihr Telefon kommt niemand weiter.
email-changed-subject = Ihr Passwort bei { $practice } wurde geändert
email-changed-text = Das Passwort Ihres Kontos bei { $practice } wurde geändert am { $when }.
email-changed-button = Das war ich nicht: neues Passwort setzen
email-changed-unexpected = Wenn Sie es waren, brauchen Sie nichts zu tun. Wenn nicht, setzen Sie jetzt ein neues Passwort; damit enden alle Sitzungen Ihres Kontos.
email-registered-subject = Ihre Registrierung bei { $practice } ist abgeschlossen
email-registered-text = Die Registrierung Ihres Kontos bei { $practice } wurde abgeschlossen am { $when }: Es hat jetzt ein Passwort und ein Telefon.
email-registered-button = Das war ich nicht: neues Passwort setzen
email-registered-unexpected = Wenn Sie es waren, brauchen Sie nichts zu tun. Wenn nicht, setzen Sie jetzt ein neues Passwort, und sagen Sie der Praxis Bescheid: Jemand hat Ihre Einladung gelesen.
email-expires-subject =
    { $days ->
        [0] Ihr Passwort bei { $practice } läuft heute ab
        [one] Ihr Passwort bei { $practice } läuft morgen ab
       *[other] Ihr Passwort bei { $practice } läuft in { $days } Tagen ab
    }
email-expires-text =
    { $days ->
        [0] Das Passwort Ihres Kontos bei { $practice } läuft heute ab.
        [one] Das Passwort Ihres Kontos bei { $practice } läuft morgen ab.
       *[other] Das Passwort Ihres Kontos bei { $practice } läuft in { $days } Tagen ab.
    }
email-expires-button = Passwort ändern
email-expires-unexpected = Ist es einmal abgelaufen, wählen Sie bei der Anmeldung ein neues, mit einem Code an Ihr Telefon.
email-phone-subject = Ihrem Konto bei { $practice } wurde ein Telefon hinzugefügt
email-phone-text = Das Telefon { $phone } wurde Ihrem Konto bei { $practice } hinzugefügt am { $when }. Codes können daran gesendet werden ab dem { $from }.
email-phone-button = Das war ich nicht: neues Passwort wählen
email-phone-unexpected = Wenn Sie es waren, brauchen Sie nichts zu tun. Wenn nicht, entfernt ein neues Passwort das Telefon wieder, bevor es verwendet werden kann; und bitte sagen Sie Ihrer Praxis Bescheid.
email-app-subject =
    { $removed ->
        [true] Eine Authenticator-App wurde von Ihrem Konto bei { $practice } entfernt
       *[false] Ihrem Konto bei { $practice } wurde eine Authenticator-App hinzugefügt
    }
email-app-text =
    { $removed ->
        [true] Eine Authenticator-App wurde von Ihrem Konto bei { $practice } entfernt am { $when }.
       *[false] Ihrem Konto bei { $practice } wurde eine Authenticator-App hinzugefügt am { $when }.
    }
email-app-later = Ihre Codes gelten ab dem { $from }.
email-app-button = Das war ich nicht: neues Passwort wählen
email-app-unexpected = Wenn Sie es waren, brauchen Sie nichts zu tun. Wenn nicht, wählen Sie jetzt ein neues Passwort, und bitte sagen Sie Ihrer Praxis Bescheid.
email-elsewhere-subject = { $application } hat Ihre Anmeldung bei { $practice } aus zwei Netzen erneuert
email-elsewhere-text = Damit Sie angemeldet bleiben, erneuern Anwendungen Ihre Anmeldung ab und zu. Am { $when } hat { $application } das zweimal mit demselben Token getan, aus zwei verschiedenen Netzen. Das kommt vor, wenn ein Telefon oder Laptop das Netz wechselt, während Sie bei { $application } angemeldet sind. Es kann auch bedeuten, dass jemand das Token kopiert hat.
email-elsewhere-button = Das war ich nicht: neues Passwort wählen
email-elsewhere-unexpected = Wenn Ihr Gerät um diese Zeit das Netz gewechselt hat, brauchen Sie nichts zu tun. Wenn nicht, wählen Sie jetzt ein neues Passwort: Damit enden alle Anmeldungen Ihres Kontos. Bitte sagen Sie auch Ihrer Praxis Bescheid.

### SMS und Anrufe

# Eine SMS hat Platz für 160 Zeichen des GSM-Alphabets, zu dem ä, ö, ü und ß gehören, „ und “ aber nicht.
text-phone = { $practice }: Telefon { $phone } hinzugefügt. Waren Sie das nicht? Neues Passwort:
text-code =
    { $minutes ->
        [one] { $code } ist Ihr Code für { $practice }. Er gilt eine Minute. Geben Sie ihn nicht weiter.
       *[other] { $code } ist Ihr Code für { $practice }. Er gilt { $minutes } Minuten. Geben Sie ihn nicht weiter.
    }
call-prompt = Guten Tag. Hier ist der Anmeldedienst von { $practice }. Um Ihren Code zu hören, drücken Sie eine Taste.
call-code = Ihr Code lautet:
call-code-again = Noch einmal:
call-again = Um ihn noch einmal zu hören, drücken Sie eine Taste.
call-goodbye = Auf Wiederhören.

### Ihre Angaben

profile-title = Ihre Angaben
profile-text = Was hier steht, kann Anwendungen mitgeteilt werden, die Sie verwenden. Lassen Sie leer, was Sie nicht sagen möchten.
profile-saved = Ihre Angaben sind gespeichert.
profile-problem-heading = Noch ist nichts gespeichert: Bitte sehen Sie sich das noch einmal an
profile-group =
    { $group ->
        [name] Ihr Name
        [about] Über Sie
        [address] Ihre Anschrift
       *[links] Im Netz
    }
claim-label =
    { $claim ->
        [name] Vollständiger Name
        [given_name] Vorname
        [middle_name] Weiterer Vorname
        [family_name] Nachname
        [nickname] Wie man Sie nennt
        [gender] Geschlecht
        [birthdate] Geburtsdatum
        [zoneinfo] Zeitzone
        [locale] Sprache
        [formatted] Wie auf einem Briefumschlag
        [street_address] Straße
        [locality] Ort
        [region] Bundesstaat
        [postal_code] Postleitzahl
        [country] Land
        [website] Website
        [picture] Bild
       *[profile] Seite über Sie
    }
claim-hint =
    { $claim ->
        [name] Wie Anwendungen ihn zeigen.
        [birthdate] Jahr, Monat und Tag, zum Beispiel 1984-05-12. Das Jahr allein genügt auch.
        [zoneinfo] Tippen Sie los und wählen Sie aus der Liste, zum Beispiel Europe/Berlin.
        [formatted] Die ganze Anschrift, wenn sie nicht einfach aus den Zeilen oben besteht.
       *[link] Eine Adresse, die mit https:// beginnt.
    }
claim-problem =
    { $problem ->
        [too-long] Das ist zu lang.
        [control] Darin sind Zeichen, die nicht verwendet werden können. Bitte tippen Sie es neu.
        [not-a-link] Das ist keine Adresse, die mit https:// beginnt.
        [not-a-date] Das ist kein Datum bis heute. Schreiben Sie es so: 1984-02-29.
        [not-a-zone] Eine Zeitzone dieses Namens gibt es nicht. Wählen Sie eine aus der Liste, zum Beispiel Europe/Berlin.
       *[not-a-language] Das ist keine Sprache, die gewählt werden kann.
    }
language-unset = Nicht angegeben
save = Speichern
