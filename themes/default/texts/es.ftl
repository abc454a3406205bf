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
session-heading = ¿Sigue ahí?
session-heading-fixed = Su sesión está a punto de terminar
session-text = Hace un rato que no hay actividad. Para proteger lo suyo, la sesión se cierra a esta hora: { $time }.
session-text-fixed = Una sesión termina al cabo de unas horas, pase lo que pase en ella. Hora en que termina la suya: { $time }. Termine lo que está haciendo e inicie sesión de nuevo.
stay = Seguir en la sesión
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
        [locked-here] El inicio de sesión está bloqueado aquí
        [no-cookies] Su navegador no guarda cookies
        [busy] Muchas personas están iniciando sesión ahora
        [missing] Falta algo
       *[stale] Esta página ya no estaba al día
    }
sign-in-problem-text =
    { $problem ->
        [refused] Revise su correo electrónico y su contraseña e inténtelo de nuevo, o vea más abajo qué pudo haber pasado.
        [locked-here] Se escribió una contraseña incorrecta demasiadas veces, en este dispositivo o en otro. Esperar no quita el bloqueo; la contraseña nueva que elija con «Olvidé mi contraseña», sí.
        [no-cookies] Su contraseña es correcta, pero sin una cookie no se puede iniciar sesión. Permita las cookies de este sitio e inicie sesión otra vez.
        [busy] No hay ningún error en lo que escribió. Inténtelo de nuevo en un momento.
       *[stale] No se ha perdido nada. Escriba su contraseña e inicie sesión de nuevo.
    }
sign-in-limited-heading = Demasiados inicios de sesión a la vez
sign-in-limited-text =
    { $minutes ->
        [one] Han llegado demasiados inicios de sesión desde su red. Espere un minuto e inténtelo de nuevo.
       *[other] Han llegado demasiados inicios de sesión desde su red. Espere { $minutes } minutos e inténtelo de nuevo.
    }
sign-in-new-browsers-text =
    { $minutes ->
        [one] Ha habido demasiados inicios de sesión en esta cuenta desde navegadores nuevos. Inténtelo de nuevo dentro de un minuto o use un navegador en el que ya haya iniciado sesión antes.
       *[other] Ha habido demasiados inicios de sesión en esta cuenta desde navegadores nuevos. Inténtelo de nuevo dentro de { $minutes } minutos o use un navegador en el que ya haya iniciado sesión antes.
    }
sign-in-notice =
    { $notice ->
        [signed-out] Ha cerrado la sesión.
        [session-ended] La sesión se cerró porque no hubo actividad durante un tiempo. Inicie sesión de nuevo.
        [session-too-old] La sesión se cerró porque termina al cabo de unas horas, pase lo que pase en ella. Inicie sesión de nuevo.
        [password-changed] Su contraseña ha cambiado. Inicie sesión con la nueva.
        [another-account-since] Desde entonces se ha usado otra cuenta en este navegador. Escriba su contraseña para continuar.
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
consent-host = Pertenece a { $host }.
consent-changed = { $application } ha cambiado desde que se mostró esta página, y su respuesta no se ha guardado. Lea de nuevo qué permitiría y a quién pertenece.
consent-sign-out = { $host } recibe un aviso cuando cierre la sesión.
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

### Contraseña olvidada

back-to-sign-in = Volver al inicio de sesión
stale-text = No se ha perdido nada. Envíe el formulario de nuevo.
forgot-text = Escriba la dirección con la que inicia sesión. Le enviamos un correo que lleva a una contraseña nueva.
forgot-then = Después sigue hacia { $application }.
asked-title = Revise su correo
asked-text = Si hay una cuenta para { $email }, un correo está en camino.
asked-next =
    { $minutes ->
        [one] Siga el enlace del correo o escriba aquí su código. Ambos funcionan durante un minuto.
       *[other] Siga el enlace del correo o escriba aquí su código. Ambos funcionan durante { $minutes } minutos.
    }
asked-done = Su contraseña ha cambiado. Ya puede iniciar sesión con la nueva.
asked-no-email = ¿Todavía no llega?
asked-no-email-text = Puede tardar unos minutos. Mire también en la carpeta de correo no deseado y compruebe que la dirección de arriba sea correcta. Un correo que haya llegado poco antes también sirve: su enlace funciona aquí.
asked-again = Enviar otro correo
email-code-label = Código del correo
email-code-hint = Diez caracteres. No importan las minúsculas, los espacios ni el guion.
email-code-wrong = Ese no es el código
email-code-wrong-text =
    { $minutes ->
        [one] Compárelo con el correo más reciente. Un código solo funciona en el navegador que lo pidió y durante un minuto.
       *[other] Compárelo con el correo más reciente. Un código solo funciona en el navegador que lo pidió y durante { $minutes } minutos.
    }
recovery-link-title = Establecer una contraseña nueva
recovery-link-text = Primero comprobamos que es usted, con un código a su teléfono. Después elige una contraseña nueva.
recovery-link-unexpected = ¿No lo pidió usted? Entonces cierre esta página: nada ha cambiado.

### Códigos secretos

verify-title = Verifique su identidad
verify-text =
    { $reason ->
        [recovery] Antes de que elija una contraseña nueva, comprobamos que es usted.
        [expired-password] Antes de que reemplace la contraseña caducada, comprobamos que es usted.
        [step-up] Lo que va a abrir pide una segunda prueba de que es usted.
        [own-proofs] Para cambiar cómo demuestra quién es, escriba primero un código.
        [new-device] No ha iniciado sesión antes con este navegador, así que comprobamos que es usted.
        [registration-resumed] Ya se verificó un teléfono para este registro. Comprobamos que es usted quien lo tiene.
       *[registration] Comprobamos que el teléfono es suyo.
    }
verify-question = ¿Cómo quiere recibir un código secreto?
method =
    { $channel ->
        [text] Mensaje de texto
        [call] Llamada telefónica
       *[totp] Aplicación de autenticación
    }
method-to =
    { $landline ->
        [true] al teléfono fijo { $number }
       *[false] al celular { $number }
    }
method-totp = La aplicación le muestra el código.
send-code = Enviar código
enter-code-title = Escriba su código
enter-code-text =
    { $channel ->
        [text] Enviamos un mensaje de texto con seis dígitos al { $number }.
        [call] Estamos llamando al { $number }. Pulse una tecla cuando se lo pidan y oirá seis dígitos, dos veces.
       *[totp] Abra su aplicación de autenticación y escriba los seis dígitos que muestra ahora.
    }
enter-code-under-way =
    { $channel ->
        [text] Estamos enviando un mensaje de texto con seis dígitos al { $number }.
       *[call] Vamos a llamar al { $number }. Pulse una tecla cuando se lo pidan y oirá seis dígitos, dos veces.
    }
enter-code-works =
    { $minutes ->
        [one] Valen un minuto.
       *[other] Valen { $minutes } minutos.
    }
code-label = Su código
code-missing = Escriba el código
code-problem-heading =
    { $problem ->
        [choose-method] Elija una forma
        [wrong] Ese no es el código
        [expired] Este código ha caducado
        [used] Este código ya se ha usado
        [budget-spent] Demasiados códigos incorrectos
        [wait] Un momento, por favor
        [text-refused] Este teléfono no recibe mensajes de texto
        [trying] El código aún no ha salido
        [not-sent] No pudimos comunicarnos con este número
       *[refused] Ahora no podemos enviar a este número
    }
code-problem-text =
    { $problem ->
        [choose-method] Elija cómo quiere recibir el código.
        [expired] Pida uno nuevo más abajo.
        [text-refused] Elija una llamada telefónica.
        [trying] Seguimos intentándolo. Puede esperar y volver a cargar esta página para ver qué ha pasado, o elegir otra forma.
        [not-sent] Inténtelo de nuevo o elija otra forma.
       *[refused] Elija otra forma o pregunte a quien administra el inicio de sesión en su consultorio.
    }
code-used-text = Cada código de la aplicación vale una sola vez. Espere a que muestre el siguiente e introdúzcalo.
code-wrong-text =
    { $left ->
        [0] No queda ningún intento.
        [one] Compárelo con el código más reciente. Queda un intento.
       *[other] Compárelo con el código más reciente. Quedan { $left } intentos.
    }
code-budget-text = Para proteger su cuenta, por ahora no aceptamos más códigos. Puede intentarlo de nuevo a partir del { $until }.
code-wait-text =
    { $minutes ->
        [one] Se han pedido varios códigos. Espere un minuto antes del siguiente.
       *[other] Se han pedido varios códigos. Espere { $minutes } minutos antes del siguiente.
    }
code-notice =
    { $notice ->
        [sent] Un código está en camino.
       *[sent-again] Un código nuevo está en camino. El anterior ya no vale.
    }
resend-text = ¿Todavía no llega? Un código nuevo anula el anterior.
resend-code = Reenviar código
resend-wait =
    { $seconds ->
        [one] Puede pedir un código nuevo en un segundo.
       *[other] Puede pedir un código nuevo en { $seconds } segundos.
    }
change-method = Cambiar la forma de envío
use-another-phone = Usar otro teléfono
no-phone-title =
    { $unreached ->
        [true] No se puede enviar un código a su teléfono
       *[false] No hay un teléfono al que enviar un código
    }
no-phone-unreached = Para continuar hace falta un código, y este consultorio no los envía por ahora a un teléfono como el suyo. Su cuenta está en orden.
no-phone-text =
    { $reason ->
        [recovery] Para una contraseña nueva hace falta un código a un teléfono suyo, y su cuenta no tiene ninguno que se pueda usar.
        [expired-password] Para reemplazar una contraseña caducada hace falta un código a un teléfono suyo, y su cuenta no tiene ninguno que se pueda usar.
        [step-up] Para lo que va a abrir hace falta un código a un teléfono suyo, y su cuenta no tiene ninguno que se pueda usar.
        [own-proofs] Para cambiar cómo demuestra quién es hace falta un código a un teléfono suyo, y su cuenta no tiene ninguno que se pueda usar.
        [new-device] Para iniciar sesión con un navegador nuevo hace falta un código a un teléfono suyo, y su cuenta no tiene ninguno que se pueda usar.
       *[registration] Para su registro hace falta un teléfono suyo, y su cuenta no tiene ninguno que se pueda usar.
    }
no-phone-later = Hace poco se añadió un teléfono a su cuenta. Se le pueden enviar códigos a partir del { $from }.
no-phone-next = Qué puede hacer
no-phone-step-visit = Acuda en persona a quien administra el inicio de sesión en su consultorio.
no-phone-step-register = Esa persona inicia el registro de un teléfono y usted lo termina.
no-phone-step-wait =
    { $days ->
        [one] Un día después se le pueden enviar códigos.
       *[other] { $days } días después se le pueden enviar códigos.
    }
no-phone-step-tell = Avise a quien administra el inicio de sesión en su consultorio de que los códigos no llegan a los teléfonos.
no-phone-step-mend = Esa persona lo soluciona; su cuenta sigue como está.
no-phone-step-again = Después, empiece aquí de nuevo.

### Contraseña nueva

new-password-title =
    { $reason ->
        [registration] Elija una contraseña
       *[other] Elija una contraseña nueva
    }
new-password-text =
    { $reason ->
        [recovery] Con ella terminan todas las sesiones de su cuenta, en todos los dispositivos. Después inicia sesión con la contraseña nueva.
        [expired] Después sigue hacia donde iba.
        [change] Aquí su sesión sigue abierta; en los demás sitios se cierra.
       *[registration] Con ella y su correo electrónico iniciará sesión.
    }
new-password-label = Contraseña nueva
confirm-password-label = Contraseña nueva otra vez
new-password-missing = Escriba la contraseña nueva dos veces
requirements-heading = Qué necesita la contraseña
requirement-length = De { $min } a { $max } caracteres de cualquier tipo
requirement-match = Igual en los dos campos
requirement-strength = Difícil de adivinar: ni común ni con un patrón sencillo
requirement-personal = Sin su nombre, su correo electrónico ni el nombre del consultorio
requirement-remembered =
    { $count ->
        [one] Distinta de su última contraseña
       *[other] Distinta de sus últimas { $count } contraseñas
    }
requirement-met = cumplido
password-problem-heading =
    { $problem ->
        [mismatch] Las dos entradas no son iguales
        [too-short] Esta contraseña es demasiado corta
        [too-long] Esta contraseña es demasiado larga
        [common] Esta contraseña es muy conocida
        [personal] Esta contraseña dice algo sobre usted
        [weak] Esta contraseña es fácil de adivinar
        [characters] Esta contraseña tiene caracteres que no se ven
        [used] Ya ha usado esta contraseña
        [current] Esta es su contraseña actual
       *[too-young] Su contraseña se cambió hace poco
    }
password-problem-text =
    { $problem ->
        [mismatch] Escriba la contraseña nueva dos veces, igual las dos.
        [common] Está en las listas que los atacantes prueban primero. Elija otra.
        [personal] Contiene su nombre, su correo electrónico o el nombre del consultorio. Elija otra.
        [characters] Escríbala de nuevo, con el teclado y sin caracteres de otros lugares.
        [weak] Hágala más larga o junte varias palabras que no tengan nada que ver entre sí.
        [used] Elija una que no haya usado últimamente.
       *[current] Elija otra.
    }
password-length-text = Necesita de { $min } a { $max } caracteres.
password-young-text =
    { $hours ->
        [one] Se puede cambiar de nuevo en una hora. Si es posible que otra persona la conozca, use «Olvidé mi contraseña».
       *[other] Se puede cambiar de nuevo en { $hours } horas. Si es posible que otra persona la conozca, use «Olvidé mi contraseña».
    }
password-changed-title = Su contraseña ha cambiado
password-changed-text = Ya puede iniciar sesión con la nueva. Avisamos del cambio a todas las direcciones de su cuenta.
changed-then = Después de iniciar sesión sigue hacia { $application }.
waits-elsewhere = { $application } espera en el navegador en el que empezó. Vuelva a él para seguir allí, o inicie sesión aquí.
waits-elsewhere-unnamed = La aplicación espera en el navegador en el que empezó. Vuelva a él para seguir allí, o inicie sesión aquí.

### Registro

invitation-title = Le damos la bienvenida
invitation-text = { $practice } le ha invitado a sus aplicaciones.
invitation-text-to = { $name }: { $practice } le ha invitado a sus aplicaciones.
invitation-address = ¿Es este su correo electrónico? Con él iniciará sesión.
invitation-step-phone = Añade un teléfono y le enviamos un código.
invitation-step-password = Elige una contraseña.
invitation-step-on = Ya puede entrar.
invitation-unexpected = ¿No es su dirección? Entonces cierre esta página: nada ha cambiado.
add-phone-title = Añada un teléfono
phone-verified-title = Su teléfono está verificado
phone-verified-text = Puede continuar, o añadir otro teléfono por si no tiene este a mano.
add-phone-text = Un código a su teléfono prueba que es usted, por ejemplo cuando olvida su contraseña. No se usa para nada más.
phones-heading = Sus teléfonos
phone-state =
    { $landline ->
        [true] { $verified ->
            [true] Teléfono fijo, verificado
           *[false] Teléfono fijo, aún sin verificar
        }
       *[false] { $verified ->
            [true] Celular, verificado
           *[false] Celular, aún sin verificar
        }
    }
verify-phone = Verificar
another-phone = Añada otro teléfono
add-phone = Añadir teléfono
phone-label = Número de teléfono
phone-hint = Con el código de área, por ejemplo (202) 555‑0143.
phone-missing = Escriba el número de teléfono
phone-kind-label = ¿Qué tipo de teléfono es?
phone-kind-missing = Elija el tipo de teléfono
phone-kind =
    { $kind ->
        [cell] Celular
       *[landline] Teléfono fijo
    }
phone-kind-text =
    { $kind ->
        [cell] Recibe mensajes de texto y llamadas.
       *[landline] Solo recibe llamadas.
    }
phone-cell-text =
    { $ways ->
        [texts] El código llega por mensaje de texto.
        [calls] El código llega por llamada.
       *[both] Recibe mensajes de texto y llamadas.
    }
phone-problem-heading =
    { $problem ->
        [not-a-number] Esto no es un número de teléfono
        [extension] No se puede usar un número con extensión
        [not-allowed] No enviamos códigos a este número
        [unreached] No podemos enviar códigos a un teléfono fijo
       *[too-many] No se pueden añadir más teléfonos
    }
phone-problem-text =
    { $problem ->
        [not-a-number] Revise los dígitos y escriba también el código de área.
        [extension] El código tiene que llegarle directamente. Escriba un número que suene en su propio teléfono.
        [not-allowed] Está en el extranjero o las llamadas tienen un costo adicional. Escriba otro o pregunte a quien administra el inicio de sesión en su consultorio.
        [unreached] Por ahora no se envían códigos por llamada. Escriba un celular.
       *[too-many] Use uno de los de abajo o pregunte a quien administra el inicio de sesión en su consultorio.
    }
complete-text = El enlace del correo con el que le invitaron lleva por el registro. ¿Lo perdió o ya no funciona? Escriba su dirección y le enviamos uno nuevo.
complete-asked = Si una invitación espera a { $email }, un correo está en camino.
complete-asked-next = Abra el enlace del correo; seguirá donde se quedó. ¿Todavía no llega? Puede tardar unos minutos. Mire también en la carpeta de correo no deseado.

### Aplicaciones de autenticación

factors-title = Aplicaciones de autenticación
factors-text = Una aplicación de autenticación muestra un código nuevo cada medio minuto. Con ella puede probar que es usted cuando una aplicación pide algo más que la contraseña.
factor-added = Añadida el { $date }
factor-name = Aplicación de autenticación { $number }
factor-later = Sus códigos valen a partir del { $from }.
factors-notice =
    { $notice ->
        [added] La aplicación está añadida. Se lo hemos comunicado por correo.
        [not-there] Esa aplicación ya no estaba. No se cambió nada.
       *[removed] La aplicación está quitada. Se lo hemos comunicado por correo.
    }
factors-too-late-heading = La clave se mostró demasiado tiempo
factors-too-late-text = No ha cambiado nada. Empiece de nuevo más abajo; cada vez hay una clave nueva.
factor-last = Es la única forma de probar que es usted; no se puede quitar antes de que sirva otra.
factors-full = No se pueden añadir más aplicaciones. Quite una que ya no use.
no-factors = Todavía no ha añadido ninguna.
add-factor = Añadir una aplicación de autenticación
remove = Quitar
enrol-step-scan = Escanee la imagen con la aplicación o escriba en ella la clave de abajo.
enrol-step-code = Escriba los seis dígitos que la aplicación muestra entonces.
enrol-qr = Código QR con la clave de abajo
enrol-secret = La clave, para escribirla:
enrol-wrong-text = Escriba los seis dígitos que la aplicación muestra ahora. Si vuelve a ocurrir, compruebe que el reloj de su teléfono esté bien.

### Cerrar sesión

also-signed-in = Aquí también han iniciado sesión:
sign-out-ends-all = «Cerrar sesión» cierra la sesión de todos ustedes.
sign-out-people = Se cerrará la sesión de:
sign-out-stays-heading = No podemos devolverle a la aplicación
sign-out-stays = No indicó ninguna dirección que tenga registrada aquí. Puede cerrar la sesión y después se quedará en este sitio.
sign-out-title = ¿Cerrar sesión?
sign-out-text = Esto termina su sesión aquí y en todas las aplicaciones que abrió desde ella.
sign-out-text-from = { $application } pide cerrar su sesión. Esto termina su sesión aquí y en todas las aplicaciones que abrió desde ella.
signed-out-title = Ha cerrado la sesión
signed-out-text = Su sesión ha terminado aquí y en las aplicaciones que abrió desde ella.
signed-out-frame = Cierra la sesión en una aplicación
back-to = Volver a { $application }
sign-in-again = Iniciar sesión de nuevo

### Errores

error-heading =
    { $kind ->
        [unknown-client] Aquí no conocemos esta aplicación
        [application-gone] La aplicación ya no está disponible
        [redirect-uri-mismatch] La aplicación dio una dirección de regreso que no está registrada
        [invalid-request] La aplicación envió una solicitud que no se puede usar
        [nothing-ended] Aquí no se cerró ninguna sesión
        [interaction-expired] Este inicio de sesión tardó demasiado
        [answered-before] Este inicio de sesión ya se completó
        [not-asked-here] Este navegador no pidió el correo
        [registration-interrupted] Su registro se interrumpió
        [link-dead] Este enlace ya no funciona
        [stale-form] Esta página ya no estaba al día
        [no-cookies] Su navegador no guarda cookies
        [another-person] Esta página es de un inicio de sesión anterior
        [cross-site] La solicitud vino de otro sitio
        [not-found] No hay nada en esta dirección
        [method-not-allowed] Esta página no se puede usar así
        [too-large] Se envió demasiado
        [too-slow] Su conexión fue demasiado lenta
        [rate-limited] Demasiadas solicitudes
        [busy] Ahora mismo hay mucha actividad
        [unavailable] Ahora mismo no se puede iniciar sesión
        [misdirected-host] Esta no es la dirección correcta
       *[internal] Algo falló de nuestro lado
    }
error-text =
    { $kind ->
        [unknown-client] El enlace que le trajo aquí nombra una aplicación que su consultorio no ha configurado. Ábrala desde sus aplicaciones.
        [application-gone] Su consultorio la retiró o la cambió mientras usted iba hacia ella. Usted no ha hecho nada mal. Puede ir a sus otras aplicaciones.
        [redirect-uri-mismatch] Para proteger su sesión, no le enviamos allí. Quien administra la aplicación tiene que corregir su configuración.
        [invalid-request] Le falta algo o sus partes no encajan. Quien administra la aplicación tiene que corregirlo; usted no ha hecho nada mal.
        [nothing-ended] Nadie ha iniciado sesión en este navegador, y la solicitud no nombra ninguna sesión que siga abierta.
        [interaction-expired] La solicitud de la aplicación ha caducado o ya se respondió en otra ventana. Abra la aplicación otra vez para empezar de nuevo.
        [answered-before] La aplicación ya recibió su respuesta, aquí o en otra ventana, y no recibe una segunda. Abra la aplicación otra vez si quiere continuar en ella.
        [not-asked-here] Su código solo se puede escribir en el navegador que lo pidió. Si fue este, se borraron sus cookies o pasó demasiado tiempo. El enlace del correo sirve también aquí: ábralo o pida uno nuevo.
        [registration-interrupted] Este navegador ya no sabe hasta dónde había llegado: pasó demasiado tiempo, se borraron sus cookies o usted siguió en otra ventana. Lo que escribió se conserva. Abra otra vez el enlace de su invitación y seguirá donde se quedó, o pida uno nuevo.
        [link-dead] Ya se usó, ha caducado o uno más reciente ocupó su lugar. No se cambió nada.
        [stale-form] Se abrió hace un rato, o desde entonces usted inició o cerró sesión en otra ventana. No se cambió nada. Ábrala otra vez y repita lo que quería hacer.
        [no-cookies] Sin una cookie no se puede continuar en este navegador. No se cambió nada y su enlace todavía funciona. Permita las cookies de este sitio e inténtelo de nuevo, o abra el enlace en otro navegador.
        [cross-site] Por su seguridad solo aceptamos lo que escribe en nuestras propias páginas. No se cambió nada.
        [not-found] Puede que la dirección esté mal escrita o que la página haya cambiado de lugar.
        [method-not-allowed] Puede ocurrir después de usar Atrás o Recargar. No se cambió nada.
        [too-large] Su navegador envió más de lo que esta página acepta. No se cambió nada.
        [too-slow] No llegó a tiempo todo lo que envía su navegador. No se cambió nada. Inténtelo de nuevo.
        [busy] No hay ningún error en lo que escribió. Inténtelo de nuevo en un momento.
        [unavailable] No hay ningún error en lo que escribió. Inténtelo de nuevo en unos minutos.
        [misdirected-host] Anteroom responde con otro nombre. Use el enlace o el marcador que le dio su consultorio.
       *[internal] No es culpa suya, y su cuenta está como estaba. Inténtelo de nuevo; si vuelve a ocurrir, dé la referencia a quien le ayuda.
    }
error-another-person-text = Ahora la sesión está iniciada como { $person }. La página se abrió antes y no se cambió nada. Ábrala otra vez para continuar como { $person }.
error-limited-text =
    { $minutes ->
        [one] Han llegado demasiadas solicitudes desde su red. Espere un minuto e inténtelo de nuevo.
       *[other] Han llegado demasiadas solicitudes desde su red. Espere { $minutes } minutos e inténtelo de nuevo.
    }
forward =
    { $kind ->
        [sign-in] Ir al inicio de sesión
        [dashboard] Ir a sus aplicaciones
        [recover] Pedir uno nuevo
        [application] Volver a la aplicación
       *[try-again] Intentar de nuevo
    }
error-return-heading = Esta aplicación no pudo iniciar su sesión
error-return-text = Su solicitud tiene un error. No se cambió nada. Quiere que usted vaya ahora a { $host }.
error-return-next = Su consultorio no configuró esta aplicación. Si no conoce { $host }, no vaya allí.
error-return-button = Ir a { $host }
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

email-automatic = Este mensaje viene del servicio de inicio de sesión de { $practice }, donde usted tiene una cuenta o una invitación. ¿Preguntas? Consulte con el consultorio.
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
email-locked-subject = Demasiadas contraseñas incorrectas para su cuenta en { $practice }
email-locked-greeting = Hola:
email-locked-text = Se escribieron demasiadas contraseñas incorrectas para su cuenta en { $practice }, la última el { $when }. Puede que ahora el inicio de sesión esté bloqueado, en algunos navegadores o en todos.
email-locked-next = Para volver a entrar donde esté bloqueado, elija una contraseña nueva. Un bloqueo no termina por sí solo, y nadie puede quitarlo por usted.
email-locked-button = Elegir una contraseña nueva
email-locked-unexpected = Si no fue usted, puede que alguien haya intentado adivinar su contraseña. No logró entrar; una contraseña nueva asegura que siga así.
email-recovery-subject = Una contraseña nueva para { $practice }
email-recovery-text = Alguien, muy probablemente usted, pidió una contraseña nueva para su cuenta en { $practice }.
email-recovery-button = Establecer una contraseña nueva
email-recovery-code = O escriba este código en la página donde la pidió:
email-recovery-minutes =
    { $minutes ->
        [one] El enlace y el código valen un minuto y una sola vez.
       *[other] El enlace y el código valen { $minutes } minutos y una sola vez.
    }
email-recovery-unexpected = Si no fue usted, no tiene que hacer nada: sin un código a su teléfono nadie llega más lejos.
email-changed-subject = Su contraseña en { $practice } ha cambiado
email-changed-text = La contraseña de su cuenta en { $practice } se cambió el { $when }.
email-changed-button = No fui yo: establecer una contraseña nueva
email-changed-unexpected = Si fue usted, no tiene que hacer nada. Si no, establezca ahora una contraseña nueva; con ella terminan todas las sesiones de su cuenta.
email-registered-subject = Su registro en { $practice } está completo
email-registered-text = El registro de su cuenta en { $practice } se completó el { $when }: ya tiene contraseña y teléfono.
email-registered-button = No fui yo: establecer una contraseña nueva
email-registered-unexpected = Si fue usted, no tiene que hacer nada. Si no, establezca ahora una contraseña nueva y avise a la consulta: alguien ha leído su invitación.
email-expires-subject =
    { $days ->
        [0] Su contraseña en { $practice } caduca hoy
        [one] Su contraseña en { $practice } caduca mañana
       *[other] Su contraseña en { $practice } caduca en { $days } días
    }
email-expires-text =
    { $days ->
        [0] La contraseña de su cuenta en { $practice } caduca hoy.
        [one] La contraseña de su cuenta en { $practice } caduca mañana.
       *[other] La contraseña de su cuenta en { $practice } caduca en { $days } días.
    }
email-expires-button = Cambiar la contraseña
email-expires-unexpected = Cuando haya caducado, elegirá una nueva al iniciar sesión, con un código a su teléfono.
email-phone-subject = Se añadió un teléfono a su cuenta en { $practice }
email-phone-text = El teléfono { $phone } se añadió a su cuenta en { $practice } el { $when }. Se le pueden enviar códigos a partir del { $from }.
email-phone-button = No he sido yo: elegir una contraseña nueva
email-phone-unexpected = Si ha sido usted, no tiene que hacer nada. Si no, una contraseña nueva quita el teléfono antes de que se pueda usar; avise también a su consultorio.
email-app-subject =
    { $removed ->
        [true] Se quitó una aplicación de autenticación de su cuenta en { $practice }
       *[false] Se añadió una aplicación de autenticación a su cuenta en { $practice }
    }
email-app-text =
    { $removed ->
        [true] Se quitó una aplicación de autenticación de su cuenta en { $practice } el { $when }.
       *[false] Se añadió una aplicación de autenticación a su cuenta en { $practice } el { $when }.
    }
email-app-later = Sus códigos valen a partir del { $from }.
email-app-button = No he sido yo: elegir una contraseña nueva
email-app-unexpected = Si ha sido usted, no tiene que hacer nada. Si no, elija ahora una contraseña nueva y avise también a su consultorio.

email-elsewhere-subject = { $application } renovó su sesión en { $practice } desde dos redes
email-elsewhere-text = Para que su sesión siga abierta, las aplicaciones la renuevan de vez en cuando. El { $when }, { $application } lo hizo dos veces con el mismo token y desde dos redes distintas. Eso ocurre cuando un teléfono o un portátil cambia de red mientras usted usa { $application }. También puede significar que alguien ha copiado el token.
email-elsewhere-button = No he sido yo: elegir una contraseña nueva
email-elsewhere-unexpected = Si su dispositivo cambió de red en ese momento, no tiene que hacer nada. Si no, elija ahora una contraseña nueva: así termina cada sesión de su cuenta. Avise también a su consultorio.

### Mensajes de texto y llamadas

# Los mensajes de texto tienen lugar para 160 caracteres del alfabeto GSM de 7 bits, o para 70 si uno no está en él:
# sin á, í, ó, ú ni viñetas en estos dos.
text-phone = { $practice }: nuevo teléfono { $phone } en su cuenta. ¿No es suyo? Cambie su clave:
text-code =
    { $minutes ->
        [one] { $code } es su clave de un solo uso en { $practice }. Vale un minuto. No la comparta.
       *[other] { $code } es su clave de un solo uso en { $practice }. Vale { $minutes } minutos. No la comparta.
    }
call-prompt = Hola. Le llama el servicio de inicio de sesión de { $practice }. Para oír su código, pulse cualquier tecla.
call-code = Su código es:
call-code-again = Otra vez:
call-again = Para oírlo de nuevo, pulse cualquier tecla.
call-goodbye = Adiós.

profile-title = Sus datos
profile-text = Las aplicaciones que usa pueden recibir lo que diga aquí. Deje vacío lo que no quiera decir.
profile-saved = Sus datos se han guardado.
profile-problem-heading = Aún no se ha guardado nada: revise estos campos
profile-group =
    { $group ->
        [name] Su nombre
        [about] Sobre usted
        [address] Su dirección
       *[links] En la web
    }
claim-label =
    { $claim ->
        [name] Nombre completo
        [given_name] Nombre
        [middle_name] Segundo nombre
        [family_name] Apellidos
        [nickname] Cómo le llaman
        [gender] Género
        [birthdate] Fecha de nacimiento
        [zoneinfo] Zona horaria
        [locale] Idioma
        [formatted] Como en un sobre
        [street_address] Calle
        [locality] Ciudad
        [region] Estado
        [postal_code] Código postal
        [country] País
        [website] Sitio web
        [picture] Imagen
       *[profile] Página sobre usted
    }
claim-hint =
    { $claim ->
        [name] Como lo muestran las aplicaciones.
        [birthdate] Año, mes y día, por ejemplo 1984-05-12. Basta el año.
        [zoneinfo] Empiece a escribir y elija de la lista, por ejemplo America/New_York.
        [formatted] La dirección entera, si no son simplemente las líneas de arriba.
       *[link] Una dirección que empiece por https://.
    }
claim-problem =
    { $problem ->
        [too-long] Es demasiado largo.
        [control] Hay caracteres que no se pueden usar. Escríbalo de nuevo.
        [not-a-link] No es una dirección que empiece por https://.
        [not-a-date] No es una fecha hasta hoy. Escríbala así: 1984-02-29.
        [not-a-zone] No hay ninguna zona horaria con ese nombre. Elija una de la lista, por ejemplo America/New_York.
       *[not-a-language] No es un idioma que se pueda elegir.
    }
language-unset = Sin indicar
language-name =
    { $tag ->
        [en] English
        [es] Español
       *[other] { $tag }
    }
save = Guardar
