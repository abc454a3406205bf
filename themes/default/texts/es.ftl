# Los textos del tema predeterminado. Un tema propio solo necesita los mensajes que redacta de otra manera.

### Marco

skip = Ir al contenido
demo = Esto es una demostración. No introduzca datos reales.
tagline = Un solo inicio de sesión abre todas las salas de su consultorio.
signed-in-as = Sesión iniciada como
need-help = ¿Necesita ayuda? Pregunte a
continue = Continuar
back = Volver
to-continue-to = para continuar a { $application }
to-dashboard = Ir a sus aplicaciones
back-to-application = Volver a la aplicación
another-account = Usar otra cuenta
change-password = Cambiar contraseña
sign-out = Cerrar sesión
ask-for-access = Para obtener acceso, pregunte a
ask-for-access-unnamed = Para obtener acceso, pregunte a quien administra el inicio de sesión en su consultorio.
ask-to-go-on = Para poder seguir hoy, pregunte a
ask-to-go-on-unnamed = Para poder seguir hoy, pregunte a quien administra el inicio de sesión en su consultorio.

### Iniciar sesión

sign-in-title = Iniciar sesión
sign-in-button = Iniciar sesión
email-label = Su correo electrónico
email-missing = Escriba su correo electrónico
password-label = Su contraseña
password-missing = Escriba su contraseña
show-password = Mostrar
hide-password = Ocultar
forgot-password = Olvidé mi contraseña
complete-registration = Complete su registro
invited = ¿Le invitaron, pero aún no se ha registrado?
other-ways = Otras formas de entrar
sign-in-problem-heading =
    { $problem ->
        [refused] No pudimos iniciar su sesión
        [locked-here] Esta cuenta está bloqueada
        [busy] Muchas personas están iniciando sesión ahora
        [missing] Falta algo
       *[stale] Esta página ya no estaba al día
    }
sign-in-problem-text =
    { $problem ->
        [refused] Revise su correo electrónico y su contraseña e inténtelo de nuevo, o vea más abajo qué pudo haber pasado.
        [locked-here] Se escribió una contraseña incorrecta demasiadas veces en este dispositivo. Esperar no quita el bloqueo; elegir una contraseña nueva, sí.
        [busy] No hay ningún error en lo que escribió. Inténtelo de nuevo en un momento.
       *[stale] No se ha perdido nada. Escriba su contraseña e inicie sesión de nuevo.
    }
sign-in-limited-heading = Demasiados inicios de sesión a la vez
sign-in-limited-text =
    { $minutes ->
        [one] Han llegado demasiados inicios de sesión desde su red. Espere un minuto e inténtelo de nuevo.
       *[other] Han llegado demasiados inicios de sesión desde su red. Espere { $minutes } minutos e inténtelo de nuevo.
    }
sign-in-notice =
    { $notice ->
        [signed-out] Ha cerrado la sesión.
        [session-ended] La sesión se cerró porque no hubo actividad durante un tiempo. Inicie sesión de nuevo.
        [password-changed] Su contraseña ha cambiado. Inicie sesión con la nueva.
       *[reauthenticate] Inicie sesión de nuevo para confirmar que es usted.
    }
help-heading = Qué pudo haber pasado
help-mistyped = Un error al escribir
help-mistyped-text = En la contraseña importan las mayúsculas. Compruebe que el bloqueo de mayúsculas esté desactivado.
help-other-account = Otra cuenta
help-other-account-text = Inicie sesión con la dirección a la que su consultorio envió la invitación.
help-locked = Olvidada o bloqueada
help-locked-text = Demasiadas contraseñas incorrectas bloquean una cuenta. Solo una contraseña nueva quita el bloqueo:
help-unregistered = Registro sin terminar
help-unregistered-text = Una cuenta funciona cuando todos los pasos de la invitación están hechos:

### Cuentas y panel

choose-account-title = Elija una cuenta
dashboard-title = Sus aplicaciones
welcome = Hola, { $name }
applications = Aplicaciones
password-expires =
    { $days ->
        [0] Su contraseña caduca hoy.
        [one] Su contraseña caduca mañana.
       *[other] Su contraseña caduca en { $days } días.
    }
password-expires-text = Cámbiela ahora para seguir trabajando sin interrupciones.
no-tiles-heading = Todavía no hay aplicaciones
no-tiles-text = Su cuenta funciona, pero ninguna aplicación de su consultorio está abierta para ella.

### Consentimiento

consent-title = ¿Permitir { $application }?
consent-text = { $application } quiere:
consent-documents = Acerca de { $application }
scope =
    { $scope ->
        [openid] saber cuál es su cuenta en el consultorio
        [profile] ver su nombre y su perfil
        [email] ver su correo electrónico
        [address] ver su dirección postal
        [phone] ver su número de teléfono
        [groups] ver a qué grupos del consultorio pertenece
       *[offline-access] conservar este acceso cuando usted no tenga la sesión abierta
    }
scope-other = usar «{ $scope }»
allow = Permitir
deny = Rechazar
privacy-policy = Política de privacidad
terms-of-service = Condiciones del servicio

### Negativas y desvíos

not-entitled-title = No tiene acceso a { $application }
not-entitled-text = Su sesión está iniciada y su cuenta funciona, pero su consultorio no le ha dado acceso a { $application }.
expired-title = Su contraseña ha caducado
expired-text =
    { $days ->
        [one] Aquí las contraseñas valen un día, y la suya se estableció el { $date }.
       *[other] Aquí las contraseñas valen { $days } días, y la suya se estableció el { $date }.
    }
expired-next = Qué viene ahora
expired-step-code = Le enviamos un código a su teléfono para comprobar que es usted.
expired-step-password = Usted elige una contraseña nueva.
expired-step-on = Sigue hacia donde iba.
step-title =
    { $step ->
        [phone-code] El código a su teléfono aún no está disponible
        [new-password] Cambiar la contraseña aún no es posible
        [registration] El registro aún no está disponible
        [recovery] Restablecer la contraseña aún no es posible
       *[step-up] El segundo paso del inicio de sesión aún no está disponible
    }
step-text =
    { $step ->
        [phone-code] El siguiente paso sería un código enviado a su teléfono. Esta versión de Anteroom todavía no puede enviarlo. Nada ha cambiado en su cuenta.
        [new-password] El siguiente paso sería elegir una contraseña nueva. Esta versión de Anteroom todavía no puede hacerlo. Nada ha cambiado en su cuenta.
        [registration] El siguiente paso sería confirmar su dirección y elegir una contraseña. Esta versión de Anteroom todavía no puede hacerlo. Su invitación sigue como estaba.
        [recovery] El siguiente paso sería un correo que lleva a una contraseña nueva. Esta versión de Anteroom todavía no puede enviarlo. Nada ha cambiado en su cuenta.
       *[step-up] La aplicación pide una segunda prueba de que es usted. Esta versión de Anteroom todavía no puede recibirla. Nada ha cambiado en su cuenta.
    }

### Cerrar sesión

sign-out-title = ¿Cerrar sesión?
sign-out-text = Esto termina su sesión aquí y en todas las aplicaciones que abrió desde ella.
sign-out-text-from = { $application } pide cerrar su sesión. Esto termina su sesión aquí y en todas las aplicaciones que abrió desde ella.
stay = Seguir en la sesión
signed-out-title = Ha cerrado la sesión
signed-out-text = Su sesión ha terminado aquí y en las aplicaciones que abrió desde ella.
back-to = Volver a { $application }
sign-in-again = Iniciar sesión de nuevo

### Errores

error-heading =
    { $kind ->
        [unknown-client] Aquí no conocemos esta aplicación
        [redirect-uri-mismatch] La aplicación dio una dirección de regreso que no está registrada
        [invalid-request] La aplicación envió una solicitud que no se puede usar
        [interaction-expired] Este inicio de sesión tardó demasiado
        [stale-form] Esta página ya no estaba al día
        [cross-site] La solicitud vino de otro sitio
        [not-found] No hay nada en esta dirección
        [method-not-allowed] Esta página no se puede usar así
        [too-large] Se envió demasiado
        [rate-limited] Demasiadas solicitudes
        [busy] Ahora mismo hay mucha actividad
        [misdirected-host] Esta no es la dirección correcta
       *[internal] Algo falló de nuestro lado
    }
error-text =
    { $kind ->
        [unknown-client] El enlace que le trajo aquí nombra una aplicación que su consultorio no ha configurado. Ábrala desde sus aplicaciones.
        [redirect-uri-mismatch] Para proteger su sesión, no le enviamos allí. Quien administra la aplicación tiene que corregir su configuración.
        [invalid-request] Le falta algo o sus partes no encajan. Quien administra la aplicación tiene que corregirlo; usted no ha hecho nada mal.
        [interaction-expired] La solicitud de la aplicación ha caducado o ya se respondió en otra ventana. Abra la aplicación otra vez para empezar de nuevo.
        [stale-form] Se abrió hace un rato, o desde entonces usted inició o cerró sesión en otra ventana. No se cambió nada. Ábrala otra vez y repita lo que quería hacer.
        [cross-site] Por su seguridad solo aceptamos lo que escribe en nuestras propias páginas. No se cambió nada.
        [not-found] Puede que la dirección esté mal escrita o que la página haya cambiado de lugar.
        [method-not-allowed] Puede ocurrir después de usar Atrás o Recargar. No se cambió nada.
        [too-large] Su navegador envió más de lo que esta página acepta. No se cambió nada.
        [busy] No hay ningún error en lo que escribió. Inténtelo de nuevo en un momento.
        [misdirected-host] Anteroom responde con otro nombre. Use el enlace o el marcador que le dio su consultorio.
       *[internal] No es culpa suya, y su cuenta está como estaba. Inténtelo de nuevo; si vuelve a ocurrir, dé la referencia a quien le ayuda.
    }
error-limited-text =
    { $minutes ->
        [one] Han llegado demasiadas solicitudes desde su red. Espere un minuto e inténtelo de nuevo.
       *[other] Han llegado demasiadas solicitudes desde su red. Espere { $minutes } minutos e inténtelo de nuevo.
    }
forward =
    { $kind ->
        [sign-in] Ir al inicio de sesión
        [dashboard] Ir a sus aplicaciones
        [application] Volver a la aplicación
       *[try-again] Intentar de nuevo
    }
reference = Referencia:
reference-text = Con ella, quien le ayuda puede ver qué pasó.

### De regreso a una aplicación

form-post-title = Un momento
form-post-text = Está de camino a la aplicación.
form-post-text-to = Está de camino a { $application }.

### Bandeja de salida

outbox-title = Bandeja de salida
outbox-text = Los mensajes que se habrían enviado a las personas terminan aquí.
outbox-empty = Todavía no hay mensajes
outbox-empty-text = Los correos, mensajes de texto y llamadas aparecen aquí en cuanto los hay.
outbox-code = Código:
outbox-link = Abrir el enlace
outbox-html = Ver el correo tal como se ve
channel =
    { $channel ->
        [email] Correo
        [text] Mensaje de texto
       *[call] Llamada
    }

### Fechas y horas

month =
    { $month ->
        [1] enero
        [2] febrero
        [3] marzo
        [4] abril
        [5] mayo
        [6] junio
        [7] julio
        [8] agosto
        [9] septiembre
        [10] octubre
        [11] noviembre
       *[12] diciembre
    }
date = { $day } de { month } de { $year }
moment = { date } a las { $hour }:{ $minute } ({ $zone })

### Correos

email-automatic = Este mensaje lo envió el servicio de inicio de sesión de { $practice }. Por favor, no responda.
email-link-instead = Si el botón no funciona, copie esta dirección en su navegador:
email-invitation-subject = Su invitación a { $practice }
email-invitation-greeting = Hola, { $name }:
email-invitation-text = { $practice } le ha invitado a sus aplicaciones. Complete su registro para empezar: confirma esta dirección, añade un teléfono y elige una contraseña.
email-invitation-button = Complete su registro
email-invitation-days =
    { $days ->
        [one] El enlace funciona durante un día.
       *[other] El enlace funciona durante { $days } días.
    }
email-invitation-unexpected = Si no esperaba esta invitación, no tiene que hacer nada.
email-locked-subject = Su cuenta en { $practice } está bloqueada
email-locked-greeting = Hola:
email-locked-text = Se escribieron demasiadas contraseñas incorrectas para su cuenta en { $practice }, así que quedó bloqueada el { $when }.
email-locked-next = Para volver a entrar, elija una contraseña nueva. El bloqueo no termina por sí solo, y nadie puede quitarlo por usted.
email-locked-button = Elegir una contraseña nueva
email-locked-unexpected = Si no fue usted, puede que alguien haya intentado adivinar su contraseña. No logró entrar; una contraseña nueva asegura que siga así.
